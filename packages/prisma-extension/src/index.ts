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
export {
  openKeyring,
  openKeyrings,
  tenantKeyring,
  type Keyring,
  type KeyringOptions,
  type Keyrings,
  type KeyringsOptions,
  type KeyringsStats,
} from './keys/index.ts'
