export {
  compile,
  type CompiledPlan,
  type FieldPlan,
  type IndexPlan,
  type ModelPlan,
} from './compile.ts'
export { IndexViews } from './index-views.ts'
export { indexEntries, lookupOf } from './lookup.ts'
export { boundIn, boundTexts } from './bound-values.ts'
export { RecordPending, type Current } from './current.ts'
export { collectArguments, type Collected } from './operations.ts'
export { hasNested, holds } from './proof.ts'
export { contended, halfWritten } from './refuse-binding.ts'
export type { Chunk } from './open-chunk.ts'
export { OpenSites, type StaleField, type StaleRecord } from './results.ts'
export { mayReturn } from './returns-sealed.ts'
export { sealAll, sealValue } from './seal.ts'
export type { SealSite } from './sites.ts'
export { fromPlaintext, toPlaintext } from './values.ts'
export type { Hidden, ReadWalk } from './selection.ts'
