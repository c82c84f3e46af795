import type { IndexKeys, IndexKeyStats } from './indexes/index-keys.ts'
import type { DekCache } from './memory/dek-cache.ts'
import type { KekCache } from './memory/kek-cache.ts'
import type { Opener } from './memory/opener.ts'
import type { Sealer } from './memory/sealer.ts'
import type { StoreReader } from './reading/reader.ts'
import type { GuardedRoot, RootKeyStats } from './root/guarded-root.ts'

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

/** Numbers of many keyrings, for operators. */
export interface KeyringsStats {
  /** Keyrings in memory. */
  readonly open: number
  /** Keyrings being opened. */
  readonly opening: number
  /** Keyrings opened, those opened once more included. */
  readonly opened: number
  /** Keyrings that made room for others. */
  readonly evicted: number
}

/** The parts of a keyring that count. */
interface Counting {
  readonly root: GuardedRoot
  readonly index: IndexKeys
  readonly reader: StoreReader
  readonly keks: KekCache
  readonly deks: DekCache
  readonly sealer: Sealer
  readonly opener: Opener
}

export function statsOf(parts: Counting): KeyringStats {
  const { root, index, reader, keks, deks, sealer, opener } = parts
  const { snapshot, ageMs, reads, failures, lastError } = reader
  const { unwraps } = opener
  const { rootKeyCalls } = keks
  return {
    activeKeyId: snapshot?.active.keyId ?? null,
    revision: snapshot?.revision ?? null,
    storeAgeMs: ageMs,
    storeReads: reads,
    storeFailures: failures,
    storeError: lastError,
    rootKeyCalls,
    rootKey: root.stats(),
    wraps: sealer.wraps,
    unwraps,
    dekCache: { entries: deks.size, hits: deks.hits, misses: unwraps },
    kekCache: { entries: keks.size, hits: keks.hits, misses: rootKeyCalls },
    index: index.stats(),
  }
}
