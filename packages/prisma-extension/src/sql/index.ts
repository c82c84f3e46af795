export type { SqlClient, Statement } from './client.ts'
export { keyText, quote } from './dialect.ts'
export { swapStatement, type StoredScalar, type StoredValue, type SwapRow } from './swap.ts'
export { loadTable, MissingColumn, type Column, type ColumnKind, type Table } from './table.ts'
