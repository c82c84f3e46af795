export type { Clock } from './clock.ts'
export {
  cancelDestruction,
  destroyKey,
  retireKey,
  scheduleDestruction,
} from './lifecycle/destruction.ts'
export { EveryTenant, NoTenant, type FieldKeyring } from './tenants/field-keyring.ts'
export { GuardedRoot, type GuardLimits, type RootKeyStats } from './root/guarded-root.ts'
export { IndexKeys, type IndexKeyStats } from './indexes/index-keys.ts'
export {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  retireIndexKeys,
} from './indexes/index-lifecycle.ts'
export { INDEX_MOVES, phaseOf, type IndexPhase } from './indexes/index-phases.ts'
export {
  completeIndex,
  incompleteIndex,
  moveIndex,
  registerIndex,
  unregisterIndex,
  type NewIndex,
} from './indexes/index-register.ts'
export type { IndexKey, IndexView } from './indexes/index-view.ts'
export { Keyring } from './keyring.ts'
export type { ReencryptKeys } from './memory/key-versions.ts'
export { openKeyring } from './open-keyring.ts'
export { cancelKeyringEnd, closeKeyring, destroyKeyring } from './lifecycle/keyring-end.ts'
export { Keyrings, openKeyrings } from './tenants/keyrings.ts'
export type { KeyringsOptions } from './tenants/options.ts'
export { DEFAULT_KEYRING, indexesUnder, plannedName } from './tenants/provision.ts'
export { rewrapDeks, type RewrappedDek } from './lifecycle/rewrap-deks.ts'
export { rewrapKeys, type Rewrapped } from './lifecycle/rewrap.ts'
export { compromiseKey, resumeKey, suspendKey } from './lifecycle/suspension.ts'
export { MAX_USES } from './reading/uses.ts'
export { activateKey, addKey, initKeyring, rotate, type Step } from './lifecycle/lifecycle.ts'
export type { Opened } from './memory/opener.ts'
export type { KeyringOptions, Wrapping } from './options.ts'
export type { CacheStats, KeyringsStats, KeyringStats } from './stats.ts'
export { baseKeyringOf, isIndexKeyring } from './indexes/index-name.ts'
export { isTenantId, isTenantKeyring, TENANT_PREFIX, tenantKeyring } from './tenants/tenants.ts'
export {
  INDEX_PERMITTED,
  mayMatch,
  mayProcess,
  PERMITTED,
  TRANSITIONS,
} from './lifecycle/states.ts'
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
