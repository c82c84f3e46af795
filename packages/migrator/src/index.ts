export { defineConfig, type MigratorConfig } from './config.ts'
export type { PassCounts } from './engine/counts.ts'
export { drain } from './drain/drain.ts'
export type { DrainEvent, DrainOptions, DrainReport, ModelReport } from './drain/options.ts'
export { planDrain, type DrainPlan, type ModelPlan } from './drain/plan.ts'
export { MigrationError, type MigrationErrorCode } from './errors.ts'
export { applyFence, type AppliedFence } from './fence/apply.ts'
export type { FenceOptions } from './fence/locks.ts'
export type { FencedColumn, FenceReport } from './fence/report.ts'
export {
  fenceStatements,
  removeFence,
  unfenceStatements,
  type FenceStatements,
} from './fence/statements.ts'
export { fenceStatus } from './fence/status.ts'
export { init, initStatements, type InitReport } from './init.ts'
export { inspect, type Inspection } from './inspect.ts'
export type { IndexRegistration } from './register.ts'
export type {
  IndexModelReport,
  IndexReport,
  ReindexEvent,
  ReindexOptions,
  ReindexReport,
  WaitEvent,
} from './reindex/options.ts'
export {
  planReindex,
  type IndexModelPlan,
  type IndexPlan,
  type ReindexPlan,
} from './reindex/plan.ts'
export { reindex } from './reindex/reindex.ts'
export type { DueOptions, DueReason } from './due.ts'
export { rotate, rotateIndex, type RotateOptions, type RotateReport } from './rotate.ts'
export type { Quarantined } from './runs/quarantine.ts'
export type { Outcome, RunInfo } from './runs/store.ts'
export type { IndexColumnStatus, IndexStatus } from './status-indexes.ts'
export { status, type FieldStatus, type KeyStatus, type StatusReport } from './status.ts'
export type { IndexVerification } from './verify-indexes.ts'
export {
  verify,
  type FieldVerification,
  type VerifyEvent,
  type VerifyOptions,
  type VerifyReport,
} from './verify.ts'
