import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { KeyError } from '../errors.ts'
import type { Clock } from './clock.ts'
import { dekAad, KEY_BYTES, type Kek } from './dek-wrap.ts'
import type { WrapContext, KeyRow, RootKey } from './types.ts'

// Check value of a KEK: HMAC-SHA-256 under the KEK of "rowseal/v1/check" ‖ key id (uint32) ‖ keyring (UTF-8).

const CHECK_LABEL = Buffer.from('rowseal/v1/check')

/** What is stored of a new KEK. */
export interface NewKek {
  readonly rootKeyId: string
  readonly wrappedKek: Uint8Array
  readonly checkValue: Uint8Array
}

/** Let the root key make and wrap a KEK. Nothing of it stays in memory. */
export async function createKek(root: RootKey, context: WrapContext): Promise<NewKek> {
  const { key: kek, wrapped, rootKeyId } = await fromRoot(root, () => root.create(context))
  try {
    assertLength(kek, context)
    const checkValue = checkValueOf(createSecretKey(kek), context)
    return { rootKeyId, wrappedKek: wrapped, checkValue }
  } finally {
    kek.fill(0)
  }
}

/**
 * Unwrap the KEK of a key row and compare its check value, so that no row can hold another's KEK.
 *
 * @throws {KeyError} `ERR_KEY_MISMATCH`, `ERR_KEY_UNAVAILABLE` (retryable), or what the root key throws.
 */
export async function openKek(root: RootKey, row: KeyRow): Promise<Kek> {
  const context: WrapContext = { keyring: row.keyring, keyId: row.keyId, use: 'kek' }
  const bytes = await fromRoot(root, () => root.unwrap(row.wrappedKek, row.rootKeyId, context))
  try {
    assertLength(bytes, context)
    const key = createSecretKey(bytes)
    const expected = checkValueOf(key, context)
    const isSame =
      expected.length === row.checkValue.length && timingSafeEqual(expected, row.checkValue)
    if (!isSame) throw mismatch(context, 'does not fit its check value')
    return { keyId: row.keyId, key, aad: dekAad(row.keyId) }
  } finally {
    bytes.fill(0)
  }
}

function checkValueOf(kek: KeyObject, { keyring, keyId }: WrapContext): Buffer {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(keyId)
  return createHmac('sha256', kek).update(CHECK_LABEL).update(number).update(keyring).digest()
}

export interface CacheLimits {
  readonly entries: number
  readonly maxAgeMs: number
}

/** KEKs in memory: bounded by count and age, one load in flight for each, failures never kept. */
export class KekCache {
  readonly #root: RootKey
  readonly #kept: LRUCache<number, Kek>
  readonly #loading = new Map<number, Promise<Kek>>()
  hits = 0
  rootKeyCalls = 0

  constructor(root: RootKey, limits: CacheLimits, clock: Clock) {
    this.#root = root
    this.#kept = new LRUCache({
      max: limits.entries,
      ttl: limits.maxAgeMs,
      ttlResolution: 0, // anything else sets a timer
      perf: { now: () => clock.monotonic() },
    })
  }

  get size(): number {
    return this.#kept.size
  }

  /** The KEK if it is in memory. */
  get(keyId: number): Kek | undefined {
    const kek = this.#kept.get(keyId)
    if (kek !== undefined) this.hits++
    return kek
  }

  /** The KEK from memory or from the root key. */
  load(row: KeyRow): Promise<Kek> {
    const kept = this.get(row.keyId)
    if (kept !== undefined) return Promise.resolve(kept)
    const running = this.#loading.get(row.keyId)
    if (running !== undefined) return running
    this.rootKeyCalls++
    const load = openKek(this.#root, row)
      .then((kek) => {
        this.#kept.set(row.keyId, kek)
        return kek
      })
      .finally(() => this.#loading.delete(row.keyId))
    this.#loading.set(row.keyId, load)
    return load
  }

  /** Let go of what is past its age. Without this it would stay until something takes its place. */
  purge(): void {
    this.#kept.purgeStale()
  }
}

function assertLength(kek: Uint8Array, context: WrapContext): void {
  if (kek.length !== KEY_BYTES) throw mismatch(context, `has ${kek.length} bytes`)
}

function mismatch({ keyring, keyId }: WrapContext, what: string): KeyError {
  return new KeyError(
    'ERR_KEY_MISMATCH',
    `The KEK of key ${keyId}, keyring "${keyring}", ${what}.`,
    {
      fix: 'The key store was edited, or this is another root key: give the right one, or restore the key store.',
    },
  )
}

/** What a root key answers; whatever it throws becomes a `KeyError`. */
export async function fromRoot<T>(root: RootKey, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof KeyError) throw error
    throw new KeyError('ERR_KEY_UNAVAILABLE', `The root key (${root.provider}) gave no answer.`, {
      fix: 'See the cause, and try again.',
      retryable: true,
      cause: error,
    })
  }
}
