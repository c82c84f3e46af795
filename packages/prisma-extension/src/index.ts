export {
  rowseal,
  type RowsealClient,
  type RowsealOptions,
  type RowsealStats,
} from './client/extension.ts'
export type { IndexTerm, RawAccess } from './client/raw.ts'
export type { ReencryptionOptions, ReencryptionStats } from './client/reencryption.ts'
export {
  EnvelopeError,
  KeyError,
  QueryError,
  RowsealError,
  SchemaError,
  type EnvelopeErrorCode,
  type ErrorDetails,
  type KeyErrorCode,
  type QueryErrorCode,
  type SchemaErrorCode,
} from './errors.ts'
export { openKeyring, type Keyring, type KeyringOptions } from './keys/index.ts'
