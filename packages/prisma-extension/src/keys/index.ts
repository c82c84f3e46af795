export type { Clock } from './clock.ts'
export { IndexKeys, type IndexKeyStats } from './index-keys.ts'
export { activateIndexKey, addIndexKey, initIndexKeys, retireIndexKeys } from './index-lifecycle.ts'
export { INDEX_MOVES, phaseOf, type IndexPhase } from './index-phases.ts'
export {
  completeIndex,
  incompleteIndex,
  moveIndex,
  registerIndex,
  type NewIndex,
} from './index-register.ts'
export type { IndexKey, IndexView } from './index-view.ts'
export { Keyring, openKeyring, type CacheStats, type KeyringStats } from './keyring.ts'
export { initKeyring, rotate } from './lifecycle.ts'
export type { Opened } from './opener.ts'
export type { KeyringOptions } from './options.ts'
export { INDEX_PERMITTED, PERMITTED, TRANSITIONS } from './states.ts'
export type {
  Dek,
  IndexRecord,
  IndexSlot,
  KeyringChange,
  KeyringHead,
  KeyringSnapshot,
  KeyRow,
  KeyState,
  KeyStore,
  KeyTransition,
  RootKey,
  RootKeyInfo,
  Suite,
  Via,
  WrapContext,
  WrappedDek,
  WrappedKey,
} from './types.ts'
