export type { Clock } from './clock.ts'
export { cancelDestruction, destroyKey, retireKey, scheduleDestruction } from './destruction.ts'
export { EveryTenant, NoTenant, type FieldKeyring } from './field-keyring.ts'
export { GuardedRoot, type GuardLimits, type RootKeyStats } from './guarded-root.ts'
export { IndexKeys, type IndexKeyStats } from './index-keys.ts'
export { activateIndexKey, addIndexKey, initIndexKeys, retireIndexKeys } from './index-lifecycle.ts'
export { INDEX_MOVES, phaseOf, type IndexPhase } from './index-phases.ts'
export {
  completeIndex,
  incompleteIndex,
  moveIndex,
  registerIndex,
  unregisterIndex,
  type NewIndex,
} from './index-register.ts'
export type { IndexKey, IndexView } from './index-view.ts'
export { Keyring, openKeyring } from './keyring.ts'
export { cancelKeyringEnd, closeKeyring, destroyKeyring } from './keyring-end.ts'
export { Keyrings, openKeyrings, type KeyringsOptions, type KeyringsStats } from './keyrings.ts'
export { DEFAULT_KEYRING, indexesUnder, plannedName } from './provision.ts'
export { rewrapKeys, type Rewrapped } from './rewrap.ts'
export { compromiseKey, resumeKey, suspendKey } from './suspension.ts'
export { MAX_USES } from './uses.ts'
export { activateKey, addKey, initKeyring, rotate, type Step } from './lifecycle.ts'
export type { Opened } from './opener.ts'
export type { KeyringOptions, Wrapping } from './options.ts'
export type { CacheStats, KeyringStats } from './stats.ts'
export { isTenantId, isTenantKeyring, TENANT_PREFIX, tenantKeyring } from './tenants.ts'
export { INDEX_PERMITTED, mayMatch, mayProcess, PERMITTED, TRANSITIONS } from './states.ts'
export type {
  Dek,
  IndexRecord,
  IndexSlot,
  KeyringHead,
  KeyringSnapshot,
  KeyringWrite,
  KeyRow,
  KeyState,
  KeyStore,
  RootKey,
  RootKeyInfo,
  RowWrite,
  Suite,
  Via,
  WrapContext,
  WrappedDek,
  WrappedKey,
} from './types.ts'
