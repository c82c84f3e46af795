export { defineConfig, type MigratorConfig } from './config.ts'
export { decrypt } from './decrypt/decrypt.ts'
export type { PauseEvent } from './engine/control.ts'
export type { PassCounts } from './engine/counts.ts'
export type { UnreadableValues } from './drain/destroyed.ts'
export type { UnknownValues } from './drain/unknown.ts'
export { drain } from './drain/drain.ts'
export type { DrainReport } from './drain/drained.ts'
export { planDrain, type DrainPlan } from './drain/plan.ts'
export { encrypt } from './encrypt/encrypt.ts'
export type {
  ModelEvent,
  ModelReport,
  PassEvent,
  RunDirectionOptions,
  RunEvent,
  RunReport,
  WaitEvent,
} from './engine/events.ts'
export type { RunOptions } from './engine/options.ts'
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
export { init, initStatements, type InitOptions, type InitReport } from './init.ts'
export { inspect, type Inspection } from './inspect.ts'
export {
  cancelDestroy,
  destroyKey,
  type Destruction,
  type DestroyOptions,
  type DestroyReport,
} from './keys/destroy.ts'
export {
  cancelDestroyKeyring,
  destroyKeyring,
  type Shredding,
  type ShredOptions,
  type ShredReport,
} from './keys/destroy-keyring.ts'
export type { KeyName } from './keys/find.ts'
export { forgetField, type ForgetReport } from './keys/forget.ts'
export {
  listKeys,
  type KeysReport,
  type ListedKey,
  type ListedKeyring,
  type ListOptions,
} from './keys/list.ts'
export type { Proof } from './keys/proof.ts'
export { retireKey, type RetireOptions, type RetireReport } from './keys/retire.ts'
export { rewrapKeys, type RewrapReport } from './keys/rewrap.ts'
export type { RootKeyStatus } from './keys/root-keys.ts'
export { rotateRoot, type RotateRootOptions, type RotateRootReport } from './keys/rotate-root.ts'
export type { ScannedColumn } from './keys/scan.ts'
export {
  compromiseKey,
  resumeKey,
  suspendKey,
  type StateReport,
  type SuccessorOptions,
} from './keys/suspend.ts'
export type { ThrottleEvent } from './pace/open.ts'
export {
  checkPace,
  type CheckedPace,
  type CheckedThrottle,
  type PaceOptions,
  type ThrottleOptions,
} from './pace/options.ts'
export type { Wait } from './pace/pace.ts'
export { changedPace, type PaceChange } from './pace/stored.ts'
export { planRun, type PlannedDirection } from './plan/plan.ts'
export type { Estimate, FieldPlan, ModelPlan, Room, RunPlan } from './plan/run-plan.ts'
export type { After, FieldAfter } from './proof/after.ts'
export type { FieldReport } from './proof/reconcile.ts'
export { failedReport } from './report/failed.ts'
export { factsOf, type Fact } from './report/facts.ts'
export { htmlReport } from './report/page.ts'
export {
  RunRecorder,
  type RecordedModel,
  type Recording,
  type Sample,
  type Span,
} from './report/recorder.ts'
export type { QueueEvent } from './queue/coordinate.ts'
export type { Again, Queue, QueueConnection, QueueTask, TakeOptions } from './queue/queue.ts'
export type { TaskEvent } from './queue/shift.ts'
export { work, type WorkEvent, type WorkOptions, type WorkReport } from './queue/work.ts'
export type { QuarantineEntry, QuarantineFilter } from './quarantine/entries.ts'
export { exportQuarantine, type ExportQuarantineOptions } from './quarantine/export.ts'
export {
  listQuarantine,
  type ListQuarantineOptions,
  type QuarantinePage,
} from './quarantine/list.ts'
export {
  MAX_TOGETHER,
  retryQuarantine,
  type RetriedEntries,
  type RetryQuarantineOptions,
  type RetryReport,
} from './quarantine/retry.ts'
export type { IndexRegistration } from './register.ts'
export type {
  IndexModelReport,
  IndexReport,
  ReindexEvent,
  ReindexOptions,
  ReindexReport,
} from './reindex/options.ts'
export {
  planReindex,
  type IndexModelPlan,
  type IndexPlan,
  type ReindexPlan,
} from './reindex/plan.ts'
export { reindex } from './reindex/reindex.ts'
export { planRewrap, rewrap } from './rewrap/rewrap.ts'
export { shareOf, type DueOptions, type DueReason } from './due.ts'
export { rotate, rotateIndex, type RotateOptions, type RotateReport } from './rotate.ts'
export { run, type DirectionName, type Directions } from './run.ts'
export { commandOf } from './runs/command-of.ts'
export type { Quarantined } from './runs/quarantine.ts'
export { listRuns, type RunInfo } from './runs/list.ts'
export { cancelRuns, paceRuns, pauseRuns, resumeRuns, type OperatedRun } from './runs/operate.ts'
export type { RunState } from './runs/states.ts'
export {
  dropIndexStatements,
  indexStatements,
  type IndexStatements,
  type StalenessField,
  type StalenessOptions,
} from './staleness/statements.ts'
export type { IndexColumnStatus, IndexStatus } from './status-indexes.ts'
export type { UnplannedField } from './keys/unplanned.ts'
export { status, type FieldStatus, type StatusReport } from './status.ts'
export type { KeyringStatus, KeyStatus, KeyTask } from './status-keys.ts'
export type {
  FieldVerification,
  IndexVerification,
  VerifyEvent,
  VerifyOptions,
  VerifyReport,
} from './verify/options.ts'
export { verify } from './verify/verify.ts'
