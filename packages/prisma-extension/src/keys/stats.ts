import type { RootKeyStats } from './root/guarded-root.ts'
import type { IndexKeyStats } from './indexes/index-keys.ts'

/** Numbers for operators. No key material, no values. */
export interface KeyringStats {
  readonly activeKeyId: number | null
  readonly revision: number | null
  /** Milliseconds since the last read of the store that worked began; null before the first. */
  readonly storeAgeMs: number | null
  readonly storeReads: number
  readonly storeFailures: number
  /** Code of the last read's error; null if it worked. */
  readonly storeError: string | null
  /** KEKs asked of the root key. */
  readonly rootKeyCalls: number
  /** All calls of the root key, by this keyring and whatever else shares it, and its circuit breaker. */
  readonly rootKey: RootKeyStats
  /** DEKs made. */
  readonly wraps: number
  /** DEKs unwrapped. */
  readonly unwraps: number
  readonly dekCache: CacheStats
  readonly kekCache: CacheStats
  /** The keys of blind indexes; null if there are none, or none was needed yet. */
  readonly index: IndexKeyStats | null
}

export interface CacheStats {
  readonly entries: number
  readonly hits: number
  readonly misses: number
}
