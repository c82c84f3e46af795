import type { KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import { StoreMac } from './authentic.ts'
import { DekCache, nameOf } from './dek-cache.ts'
import { createDeks, type Kek } from './dek-wrap.ts'
import { IndexKeys, type IndexKeyStats } from './index-keys.ts'
import { KekCache } from './kek.ts'
import { NoncePool } from '../nonce-pool.ts'
import { Opener, type Opened } from './opener.ts'
import { checkOptions, type CheckedOptions, type KeyringOptions } from './options.ts'
import { keyringClosed, StoreReader, unsettled } from './reader.ts'
import { mayProcess } from './states.ts'
import { Uses } from './uses.ts'
import type { Dek, KeyRow, KeyStore, RootKey, Via, WrappedDek } from './types.ts'

const MAX_DEKS = 1_000_000
/** How often sealing starts over when the keyring changes while a KEK is loaded. */
const MAX_TRIES = 3

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
  readonly rootKeyCalls: number
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

/** The key versions that protect one set of data. Made by `openKeyring`. */
export class Keyring {
  readonly name: string
  readonly store: KeyStore
  readonly root: RootKey
  /** The keys of its blind indexes. */
  readonly index: IndexKeys
  /** Authenticates its rows in the store. */
  readonly mac: StoreMac
  readonly #reader: StoreReader
  readonly #keks: KekCache
  readonly #deks: DekCache
  readonly #opener: Opener
  readonly #uses: Uses
  readonly #nonces = new NoncePool()
  #wraps = 0

  constructor(options: CheckedOptions) {
    this.name = options.name
    this.store = options.store
    this.root = options.root
    this.index = new IndexKeys(options)
    this.mac = new StoreMac(options.name, options.root)
    this.#uses = new Uses(options.name, options.store)
    this.#keks = new KekCache(options.root, options.kekCache, options.clock)
    this.#deks = new DekCache(options.dekCache, options.clock)
    this.#reader = new StoreReader({
      ...options,
      keyring: options.name,
      mac: this.mac,
      onRead: () => this.#keks.purge(),
    })
    this.#opener = new Opener({
      keyring: options.name,
      store: options.store,
      reader: this.#reader,
      keks: this.#keks,
      deks: this.#deks,
    })
  }

  /** Key id of the version that seals; null while the keyring does not exist. */
  get activeKeyId(): number | null {
    return this.#reader.snapshot?.active.keyId ?? null
  }

  /** Is this a version of this keyring that may open, but is not the active one? */
  isStale(keyId: number): boolean {
    const snapshot = this.#reader.snapshot
    const row = snapshot?.rows.get(keyId)
    return row !== undefined && row !== snapshot?.active && mayProcess(row)
  }

  /** The key ids for which `isStale`, by version. */
  staleKeyIds(): readonly number[] {
    return this.#reader.snapshot?.stale ?? []
  }

  /** The key versions as last read from the store, by version. */
  keys(): readonly KeyRow[] {
    return [...(this.#reader.snapshot?.rows.values() ?? [])]
  }

  /**
   * Read the store now, in a read that begins after this call.
   *
   * @param via - the interactive transaction the caller is in, if any.
   * @returns false if the keyring does not exist yet.
   * @throws {KeyError} `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`, `ERR_STORE_NEWER`,
   *   `ERR_KEYRING_MISSING` if it existed before.
   */
  async refresh(via?: Via): Promise<boolean> {
    await this.#reader.readNew(via)
    return this.#reader.snapshot !== null
  }

  /**
   * Unwrap the active KEK, to be told now if the root key is the wrong one.
   *
   * @throws {KeyError} `ERR_KEYRING_MISSING`, `ERR_KEY_MISMATCH`, `ERR_KEY_UNAVAILABLE`
   */
  async verify(): Promise<void> {
    const snapshot = this.#reader.snapshot
    if (snapshot === null) throw this.#reader.missing()
    if (mayProcess(snapshot.active)) await this.#keks.load(snapshot.active)
  }

  /**
   * Fresh DEKs under the active key version, one for each record to seal. A DEK seals in the
   * operation that asked for it and nothing after. No I/O while the KEK is in memory and the store
   * was read less than `maxAgeMs` ago.
   *
   * @param count - 0 to 1,000,000.
   * @param via - the interactive transaction the caller is in, if any.
   * @param remember - keep them for opening what was sealed? A run over a whole table says no.
   * @throws {KeyError} `ERR_KEYRING_MISSING`, `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`
   */
  async forProtect(count: number, via?: Via, remember = true): Promise<Dek[]> {
    if (!Number.isInteger(count) || count < 0 || count > MAX_DEKS) {
      throw new TypeError(`count must be a whole number from 0 to ${MAX_DEKS}`)
    }
    if (count === 0) return []
    this.#reader.refreshIfDue()
    const held = this.#sealingKek()
    const isCovered = held !== undefined && this.#uses.take(held.keyId, count, via)
    const kek = isCovered ? held : await this.#fetchSealingKek(count, via)
    this.#wraps += count
    const keep = (dek: Dek, bytes: Uint8Array): void => this.#deks.set(nameOf(dek), bytes)
    return createDeks(kek, count, this.#nonces, remember ? keep : undefined)
  }

  /**
   * The DEKs of stored values, in the same order. No I/O while their KEKs are in memory: the
   * promise is then resolved already, so Prisma's batching of look-ups in one tick survives.
   *
   * @param via - the interactive transaction the caller is in, if any.
   * @throws {KeyError} `ERR_KEY_UNKNOWN` (retryable if the store was asked in vain a moment ago),
   *   `ERR_KEY_STATE` for a key that may not open or is another keyring's, `ERR_KEYRING_MISSING`,
   *   `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`
   * @throws {EnvelopeError} `ERR_ENVELOPE_AUTH` for a wrapped DEK that does not open.
   */
  async forProcess(wanted: readonly WrappedDek[], via?: Via): Promise<KeyObject[]> {
    this.#reader.refreshIfDue()
    let looked = this.#opener.look(wanted)
    if (looked.missing !== null) looked = await this.#opener.fetch(wanted, looked, via)
    if (looked.missing !== null) throw unsettled(this.name)
    if (looked.failure !== null) throw looked.failure
    return looked.keys as KeyObject[]
  }

  /**
   * As `forProcess`, but with the error of a value in its place, so that one bad value does not
   * spoil the others. What concerns all of them (`ERR_KEY_UNAVAILABLE` and the like) still throws.
   *
   * @param remember - keep them for the next time? A run over a whole table says no.
   */
  async forProcessEach(
    wanted: readonly WrappedDek[],
    via?: Via,
    remember = true,
  ): Promise<Opened[]> {
    this.#reader.refreshIfDue()
    let looked = this.#opener.look(wanted, remember)
    if (looked.missing !== null) looked = await this.#opener.fetch(wanted, looked, via, remember)
    if (looked.missing !== null) throw unsettled(this.name)
    return looked.keys
  }

  stats(): KeyringStats {
    const { snapshot, ageMs, reads, failures, lastError } = this.#reader
    const { unwraps } = this.#opener
    const { rootKeyCalls } = this.#keks
    return {
      activeKeyId: this.activeKeyId,
      revision: snapshot?.revision ?? null,
      storeAgeMs: ageMs,
      storeReads: reads,
      storeFailures: failures,
      storeError: lastError,
      rootKeyCalls,
      wraps: this.#wraps,
      unwraps,
      dekCache: { entries: this.#deks.size, hits: this.#deks.hits, misses: unwraps },
      kekCache: { entries: this.#keks.size, hits: this.#keks.hits, misses: rootKeyCalls },
      index: this.index.stats(),
    }
  }

  /** Name, store, root key provider, active key id and revision. */
  toJSON(): object {
    return {
      name: this.name,
      store: this.store.name,
      root: this.root.provider,
      activeKeyId: this.activeKeyId,
      revision: this.#reader.snapshot?.revision ?? null,
    }
  }

  [inspect.custom](): string {
    return `Keyring ${inspect(this.toJSON())}`
  }

  #sealingKek(): Kek | undefined {
    const held = this.#reader.fresh()
    if (held?.snapshot.active.state !== 'active') return undefined
    return this.#keks.get(held.snapshot.active.keyId)
  }

  /** Loading and reserving can take long, so the keyring is looked at once more afterwards. */
  async #fetchSealingKek(count: number, via?: Via): Promise<Kek> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const held = this.#reader.fresh() ?? (await this.#reader.demand(via))
      if (held.snapshot.active.state !== 'active') throw keyringClosed(this.name)
      const kek = await this.#keks.load(held.snapshot.active)
      await this.#uses.reserve(kek.keyId, count, via)
      const now = this.#reader.fresh() ?? (this.#reader.isRecent(held.began) ? held : null)
      if (now?.snapshot.active.keyId === kek.keyId) return kek
    }
    throw unsettled(this.name)
  }
}

/**
 * Open a keyring. Reads the store and unwraps the active KEK, so that a wrong root key is said here
 * and not at the first read. If the keyring does not exist yet it opens all the same, because
 * `rowseal init` loads the same module: its first use looks again.
 *
 * @throws {KeyError} `ERR_KEY_MISMATCH` for a wrong root key or an edited key store,
 *   `ERR_ROOT_KEY_REGION`, `ERR_KEY_UNAVAILABLE` (retryable), `ERR_STORE_NEWER`
 * @throws {TypeError} for an option out of bounds.
 */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const keyring = new Keyring(checkOptions(options))
  await keyring.root.regions() // refuses one that is not allowed, before any call
  if (await keyring.refresh()) await keyring.verify()
  return keyring
}
