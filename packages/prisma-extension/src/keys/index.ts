export type { Clock } from './clock.ts'
export { Keyring, openKeyring, type CacheStats, type KeyringStats } from './keyring.ts'
export { initKeyring, rotate } from './lifecycle.ts'
export type { Opened } from './opener.ts'
export type { KeyringOptions } from './options.ts'
export { PERMITTED, TRANSITIONS } from './states.ts'
export type {
  Dek,
  KekContext,
  KeyringChange,
  KeyringHead,
  KeyringSnapshot,
  KeyRow,
  KeyState,
  KeyStore,
  KeyTransition,
  RootKey,
  Suite,
  Via,
  WrappedDek,
} from './types.ts'
