export type { SqlClient, SqlTransaction, Statement, TransactionOptions } from './client.ts'
export { keyText, quote } from './dialect.ts'
export { swapStatement, type SwapRow } from './swap.ts'
export { loadTable, TableError, type KeyColumn, type SealedColumn, type Table } from './table.ts'
export {
  RawJson,
  isList,
  type ColumnScalar,
  type ColumnValue,
  type StoredScalar,
  type StoredValue,
} from './values.ts'
