export type { SqlClient, SqlTransaction, Statement, TransactionOptions } from './client.ts'
export { keyText, quote } from './dialect.ts'
export { anyRowStatement } from './empty.ts'
export { fencesOf, type Fence, type FencePart } from './fence.ts'
export { fenceIn, fenceName } from './fence-name.ts'
export {
  addFenceStatements,
  dropFenceStatements,
  fencedRowsStatement,
  findFences,
  validateFenceStatements,
  type FenceState,
  type FoundFence,
} from './fence-statements.ts'
export { holdersStatement } from './holders.ts'
export { inSchemaOf } from './in-schema.ts'
export {
  anyIndexCondition,
  indexCountStatement,
  indexKeyCondition,
  indexStaleCondition,
  type WantedIndex,
} from './index-stale.ts'
export { countStatement, type CountRow } from './count.ts'
export { keyAt } from './key-at.ts'
export { readPage, type Page, type PageRequest, type PageRow } from './page.ts'
export { placesWhere } from './places-where.ts'
export { plaintextCondition } from './plaintext.ts'
export { readKeyedRows, type KeyedRequest, type KeyedRow } from './keyed-rows.ts'
export { readRows } from './read-rows.ts'
export {
  countRangeStatement,
  countRowsStatement,
  envelopeCondition,
  presentCondition,
  staleCondition,
} from './stale.ts'
export type { KeyRange } from './key-range.ts'
export { countByIndex } from './staleness/count.ts'
export { findStalenessIndexes, type StalenessIndex, type StalenessState } from './staleness/find.ts'
export { stalenessLookups, type StalenessLookup } from './staleness/lookup.ts'
export { swapAlone, swapIn } from './run-swap.ts'
export type { SwapRow } from './swap.ts'
export { groupSwapIn, type GroupSwap, type GroupSwapRow, type SwapGroup } from './swap-groups.ts'
export { indexSwapIn, type IndexedColumn, type IndexSwap, type IndexSwapRow } from './swap-index.ts'
export {
  loadColumn,
  loadTable,
  TableError,
  type ColumnPlace,
  type KeyColumn,
  type SealedColumn,
  type Table,
} from './table.ts'
export { listTriggers } from './triggers.ts'
export {
  RawJson,
  fromJsonText,
  isList,
  jsonText,
  type ColumnScalar,
  type ColumnValue,
  type StoredScalar,
  type StoredValue,
} from './values.ts'
