import { SYSTEM_CLOCK, type Clock } from './clock.ts'
import { isIndexKeyring } from './index-name.ts'
import type { CacheLimits } from './kek.ts'
import { withinRegions } from './regions.ts'
import type { KeyStore, RootKey } from './types.ts'

const DAY_MS = 86_400_000
const MAX_REVISION = Number.MAX_SAFE_INTEGER
/** Printable, and the same under every collation and quoting rule; 128 with the suffix of index keys. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,121}$/
const REGION = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/

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
  /** Unwrapped DEKs kept for opening. A hit saves one AES call, about 4 µs. */
  readonly dekCache?: {
    /** 0 (none) to 10,000,000, at about 0.25 kB each. Default: 100,000. */
    readonly entries?: number
    /** Milliseconds, 1 to 86,400,000. Default: 300,000 (5 minutes). */
    readonly maxAgeMs?: number
  }
  /** Unwrapped KEKs. A miss is one call of the root key. */
  readonly kekCache?: {
    /** 1 to 100,000. Default: 1,000. */
    readonly entries?: number
    /** How long a revoked root key goes on serving. Milliseconds, 1 to 86,400,000. Default: 900,000 (15 minutes). */
    readonly maxAgeMs?: number
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
  readonly dekCache: CacheLimits
  readonly kekCache: CacheLimits
  readonly minRevision: number
  readonly minIndexRevision: number
  readonly clock: Clock
}

/** @throws {TypeError} naming the option. */
export function checkOptions(options: KeyringOptions): CheckedOptions {
  const { root, store, name = 'default', clock = SYSTEM_CLOCK, dekCache, kekCache } = options
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
    dekCache: {
      entries: number('dekCache.entries', dekCache?.entries, 100_000, 0, 10_000_000),
      maxAgeMs: number('dekCache.maxAgeMs', dekCache?.maxAgeMs, 300_000, 1, DAY_MS),
    },
    kekCache: {
      entries: number('kekCache.entries', kekCache?.entries, 1000, 1, 100_000),
      maxAgeMs: number('kekCache.maxAgeMs', kekCache?.maxAgeMs, 900_000, 1, DAY_MS),
    },
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
