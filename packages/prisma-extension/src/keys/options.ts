import { SYSTEM_CLOCK, type Clock } from './clock.ts'
import { isIndexKeyring } from './indexes/index-name.ts'
import type { DekCacheLimits } from './memory/dek-cache.ts'
import type { GuardLimits } from './root/guarded-root.ts'
import type { KekCacheLimits } from './memory/kek-cache.ts'
import { withinRegions } from './root/regions.ts'
import type { KeyStore, RootKey } from './types.ts'

const DAY_MS = 86_400_000
const MAX_REVISION = Number.MAX_SAFE_INTEGER
/** Printable, and the same under every collation and quoting rule; 128 with the suffix of index keys. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,121}$/
const REGION = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/

/** What wraps DEKs: the KEK of the key version (suite 0x01), or the root key itself (suite 0x02). */
export type Wrapping = 'kek' | 'kms'

export interface KeyringOptions {
  /** The key that wraps the KEKs, such as `localRootKey({ env: 'ROWSEAL_ROOT_KEY' })`. */
  readonly root: RootKey
  /** Where the wrapped KEKs are, such as `sqlKeyStore(client)`. */
  readonly store: KeyStore
  /** 1 to 122 letters, digits and `._:/@+-`, not ending in `/index`. Default: `default`. */
  readonly name?: string
  /**
   * Once the last read of the store is older than this, an operation starts the next one without
   * waiting for it. Lower: rotations are noticed sooner, at one small query per interval.
   * Milliseconds, 100 to 3,600,000. Default: 10,000.
   */
  readonly refreshMs?: number
  /**
   * Once it is older than this, nothing is sealed until a read worked. Lower: a former key version
   * falls out of use sooner; higher: writes go on through a longer outage of the store.
   * Milliseconds, refreshMs to 86,400,000. Default: 60,000, or refreshMs if that is more.
   */
  readonly maxAgeMs?: number
  /** Unwrapped DEKs kept for opening. A hit saves one AES call, about 4 µs, or with `wrapping: 'kms'` one call of the KMS. */
  readonly dekCache?: {
    /** 0 (none) to 10,000,000, at about 0.25 kB each; 0.45 kB with `wrapping: 'kms'`. Default: 100,000. */
    readonly entries?: number
    /** Milliseconds, 1 to 86,400,000. Default: 300,000 (5 minutes). */
    readonly maxAgeMs?: number
    /**
     * How often one is given out of the cache before it must be unwrapped again. With `wrapping: 'kms'`,
     * lower: more reads show in the KMS's audit trail, at its price. 1 to 1,000,000,000. Default: no bound.
     */
    readonly maxUses?: number
    /** Of all entries together, with the wrapped DEKs they go by. Bytes, 1024 to 2^40. Default: 1024 for each of `entries`. */
    readonly maxBytes?: number
  }
  /** Unwrapped KEKs and index keys. A miss is one call of the root key. */
  readonly kekCache?: {
    /** 1 to 100,000. Default: 1,000. */
    readonly entries?: number
    /**
     * How long a revoked root key goes on serving. One in use is unwrapped again in the background from
     * ¾ of it on. Milliseconds, 1 to 86,400,000. Default: 900,000 (15 minutes).
     */
    readonly maxAgeMs?: number
    /**
     * How long one serves while the root key gives no answer, counted from when it was last unwrapped.
     * Higher: reads and writes outlive a longer outage; lower: whoever can cut the connection to the KMS
     * puts off a revocation for less long. Milliseconds, kekCache.maxAgeMs to 604,800,000 (7 days).
     * Default: 3,600,000 (1 hour), or kekCache.maxAgeMs if that is more.
     */
    readonly maxStaleMs?: number
  }
  /** Calls of the root key. */
  readonly rootCalls?: {
    /**
     * What takes longer is an outage. The provider's retries count in, in all its regions: give it more than
     * those take together. Milliseconds, 10 to 600,000. Default: 30,000.
     */
    readonly timeoutMs?: number
    /** So many outages in a row, and calls fail at once for a while. 1 to 1,000. Default: 5. */
    readonly maxOutages?: number
    /** For how long; then one call tries again. Milliseconds, 10 to 600,000. Default: 10,000. */
    readonly pauseMs?: number
  }
  /**
   * What wraps the DEKs of key versions made from now on; those there are keep theirs. `kek`: reading and
   * writing cost no call of the root key. `kms`: each record written is a call and each DEK read that is
   * not in the cache is one, all in the audit trail of the KMS, at its price. Default: `kek`.
   */
  readonly wrapping?: Wrapping
  /** Of key versions that say `wrapping: 'kms'`. */
  readonly kms?: {
    /** Calls under way at once, of each process. 1 to 10,000. Default: 16. */
    readonly concurrency?: number
    /**
     * Records that one DEK may seal, within `dekCache.maxAgeMs`. Higher: fewer calls, and the audit trail
     * tells so many records apart no more. 1 to 1,000,000. Default: 1.
     */
    readonly maxRecordsPerDek?: number
  }
  /**
   * The lowest revision of the keyring that is believed, kept outside of the store: so a store that was
   * put back to an older state is refused at start-up too. `rowseal status` shows it. Default: 1.
   */
  readonly minRevision?: number
  /** The same for the keys of blind indexes. Default: 1. */
  readonly minIndexRevision?: number
  /**
   * Regions the root key may be called in, such as `['eu-central-1']`. Refused before any call: a root
   * key that might be called elsewhere or is in no region, and keys stored under one. Default: all.
   */
  readonly allowedRegions?: readonly string[]
  /** For tests. Default: the system's clocks. */
  readonly clock?: Clock
}

export interface CheckedOptions {
  readonly root: RootKey
  readonly store: KeyStore
  readonly name: string
  readonly refreshMs: number
  readonly maxAgeMs: number
  readonly dekCache: DekCacheLimits
  readonly kekCache: KekCacheLimits
  readonly guard: GuardLimits
  readonly wrapping: Wrapping
  readonly maxRecordsPerDek: number
  readonly minRevision: number
  readonly minIndexRevision: number
  readonly clock: Clock
}

/** @throws {TypeError} naming the option. */
export function checkOptions(options: KeyringOptions): CheckedOptions {
  const { root, store, name = 'default', clock = SYSTEM_CLOCK, wrapping = 'kek' } = options
  assertHas('root', root, ['create', 'unwrap', 'rewrap', 'describe', 'regions', 'regionOf'])
  assertHas('store', store, ['init', 'read', 'write', 'reserve'])
  assertHas('clock', clock, ['wall', 'monotonic'])
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new TypeError(
      'name must be 1 to 122 letters, digits and ._:/@+- starting with one of the first two',
    )
  }
  if (isIndexKeyring(name)) {
    throw new TypeError('name must not end in /index: the keys of blind indexes are called so')
  }
  if (!['kek', 'kms'].includes(wrapping)) throw new TypeError("wrapping must be 'kek' or 'kms'")
  const refreshMs = number('refreshMs', options.refreshMs, 10_000, 100, 3_600_000)
  const maxAgeMs = number(
    'maxAgeMs',
    options.maxAgeMs,
    Math.max(60_000, refreshMs),
    refreshMs,
    DAY_MS,
  )
  return {
    root: boundedRoot(root, options.allowedRegions),
    store,
    name,
    refreshMs,
    maxAgeMs,
    clock,
    minRevision: number('minRevision', options.minRevision, 1, 1, MAX_REVISION),
    minIndexRevision: number('minIndexRevision', options.minIndexRevision, 1, 1, MAX_REVISION),
    dekCache: dekCacheLimits(options),
    kekCache: kekCacheLimits(options),
    guard: guardLimits(options),
    wrapping,
    maxRecordsPerDek: number('kms.maxRecordsPerDek', options.kms?.maxRecordsPerDek, 1, 1, 1e6),
  }
}

function dekCacheLimits({ dekCache = {} }: KeyringOptions): DekCacheLimits {
  const entries = number('dekCache.entries', dekCache.entries, 100_000, 0, 10_000_000)
  const bytes = Math.max(1024, entries * 1024)
  return {
    entries,
    maxAgeMs: number('dekCache.maxAgeMs', dekCache.maxAgeMs, 300_000, 1, DAY_MS),
    maxUses: number('dekCache.maxUses', dekCache.maxUses, Infinity, 1, 1e9),
    maxBytes: number('dekCache.maxBytes', dekCache.maxBytes, bytes, 1024, 2 ** 40),
  }
}

function kekCacheLimits({ kekCache = {} }: KeyringOptions): KekCacheLimits {
  const maxAgeMs = number('kekCache.maxAgeMs', kekCache.maxAgeMs, 900_000, 1, DAY_MS)
  const stale = Math.max(3_600_000, maxAgeMs)
  return {
    entries: number('kekCache.entries', kekCache.entries, 1000, 1, 100_000),
    maxAgeMs,
    maxStaleMs: number('kekCache.maxStaleMs', kekCache.maxStaleMs, stale, maxAgeMs, 7 * DAY_MS),
  }
}

/** Of the guard around a root key. @throws {TypeError} naming the option. */
export function guardLimits({
  rootCalls = {},
  kms = {},
}: Pick<KeyringOptions, 'rootCalls' | 'kms'>): GuardLimits {
  return {
    timeoutMs: number('rootCalls.timeoutMs', rootCalls.timeoutMs, 30_000, 10, 600_000),
    maxOutages: number('rootCalls.maxOutages', rootCalls.maxOutages, 5, 1, 1000),
    pauseMs: number('rootCalls.pauseMs', rootCalls.pauseMs, 10_000, 10, 600_000),
    concurrency: number('kms.concurrency', kms.concurrency, 16, 1, 10_000),
  }
}

function boundedRoot(root: RootKey, allowed: unknown): RootKey {
  if (allowed === undefined) return root
  const isList = Array.isArray(allowed) && allowed.length > 0
  if (isList && allowed.every((region) => typeof region === 'string' && REGION.test(region))) {
    return withinRegions(root, allowed as string[])
  }
  throw new TypeError('allowedRegions must be a list of regions, such as eu-central-1')
}

export function number(
  name: string,
  given: unknown,
  byDefault: number,
  min: number,
  max: number,
): number {
  if (given === undefined) return byDefault
  if (Number.isInteger(given) && (given as number) >= min && (given as number) <= max) {
    return given as number
  }
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}`)
}

function assertHas(option: string, value: unknown, methods: readonly string[]): void {
  const has = (method: string): boolean =>
    typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function'
  if (!methods.every(has)) throw new TypeError(`${option} must have ${methods.join('(), ')}()`)
}
