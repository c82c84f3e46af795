import type { KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import { StoreMac } from './reading/authentic.ts'
import { DekCache, nameOf } from './memory/dek-cache.ts'
import { GuardedRoot } from './root/guarded-root.ts'
import { IndexKeys } from './indexes/index-keys.ts'
import { KekCache } from './memory/kek-cache.ts'
import { DekLeases } from './memory/kms-leases.ts'
import { DekUnwraps } from './memory/kms-unwraps.ts'
import { NoncePool } from '../nonce-pool.ts'
import { KeyVersions, type ReencryptKeys } from './memory/key-versions.ts'
import { isWhole, Opener, type Opened } from './memory/opener.ts'
import { KeyOwners } from './tenants/owners.ts'
import type { CheckedOptions, Wrapping } from './options.ts'
import { StoreReader } from './reading/reader.ts'
import { Sealer } from './memory/sealer.ts'
import { statsOf, type KeyringStats } from './stats.ts'
import { mayProcess } from './lifecycle/states.ts'
import { Uses } from './reading/uses.ts'
import type { Dek, KeyRow, KeyStore, Via, WrappedDek } from './types.ts'

/** The key versions that protect one set of data. Made by `openKeyring`. */
export class Keyring {
  readonly name: string
  readonly store: KeyStore
  /** Behind a time-out and a circuit breaker. */
  readonly root: GuardedRoot
  /** What wraps the DEKs of versions made from now on. */
  readonly wrapping: Wrapping
  /** The keys of its blind indexes. */
  readonly index: IndexKeys
  /** Authenticates its rows in the store. */
  readonly mac: StoreMac
  readonly #reader: StoreReader
  readonly #keks: KekCache
  readonly #deks: DekCache
  readonly #leases: DekLeases
  readonly #sealer: Sealer
  readonly #opener: Opener
  /** Key ids whose DEKs were let go of, as they may not open any more. */
  readonly #ended = new Set<number>()

  /** @param owners - shared by the keyrings of one store. */
  constructor(options: CheckedOptions, owners = new KeyOwners(options.store)) {
    const { name: keyring, store, clock } = options
    const root = GuardedRoot.around(options.root, options.guard, clock)
    this.name = keyring
    this.store = store
    this.root = root
    this.wrapping = options.wrapping
    this.index = new IndexKeys({ ...options, root })
    this.mac = new StoreMac(keyring, root, options.minRevision)
    const deks = new DekCache(options.dekCache, clock)
    const onDenied = (keyId: number): void => {
      deks.drop(keyId)
      leases.clear()
    }
    const keks = new KekCache({ root, limits: options.kekCache, clock, onDenied })
    const onRead = (): void => this.#forget()
    const reader = new StoreReader({ ...options, keyring, mac: this.mac, onRead })
    const keep = (dek: WrappedDek, bytes: Uint8Array): void => deks.set(nameOf(dek), bytes)
    const { maxAgeMs } = options.dekCache
    const leases = new DekLeases({ ...options, root, maxAgeMs, keep })
    const unwraps = new DekUnwraps({ root, keep, onDenied: (row) => keks.recheck(row) })
    this.#reader = reader
    this.#keks = keks
    this.#deks = deks
    this.#leases = leases
    const [uses, nonces] = [new Uses(keyring, store), new NoncePool()]
    this.#sealer = new Sealer({ keyring, reader, keks, deks, leases, uses, nonces })
    const versions = new KeyVersions({ keyring, store, reader, keks, owners })
    this.#opener = new Opener({ keyring, versions, deks, unwraps })
  }

  /** Key id of the version that seals; null while the keyring does not exist. */
  get activeKeyId(): number | null {
    return this.#reader.snapshot?.active.keyId ?? null
  }

  /** Did the last read of the store begin less than `maxAgeMs` ago, and could be believed? */
  get isRecent(): boolean {
    return this.#reader.fresh() !== null
  }

  /** Is this a version of this keyring that may open, but is not the active one? */
  isStale(keyId: number): boolean {
    const snapshot = this.#reader.snapshot
    const row = snapshot?.rows.get(keyId)
    return row !== undefined && row !== snapshot?.active && mayProcess(row)
  }

  /** The same, but not in `pre-activation`: who sealed under that has read since that it is active. */
  mayReplace(keyId: number): boolean {
    const row = this.#reader.snapshot?.rows.get(keyId)
    return row?.state !== 'pre-activation' && this.isStale(keyId)
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
   * was read less than `maxAgeMs` ago. Under a version of `wrapping: 'kms'` each DEK is a call of the
   * root key, and serves as many records as `maxRecordsPerDek` says.
   *
   * @param count - 0 to 1,000,000.
   * @param via - the interactive transaction the caller is in, if any.
   * @param remember - keep them for opening what was sealed? A run over a whole table says no.
   * @throws {KeyError} `ERR_KEYRING_MISSING`, `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`
   */
  forProtect(count: number, via?: Via, remember = true): Promise<Dek[]> {
    return this.#sealer.protect(count, via, remember)
  }

  /**
   * How long what DEKs seal that `forProtect` has just given may be sent: ask right before. Others go by
   * that bound, and may have replaced the key meanwhile. No I/O.
   *
   * @param via - as `forProtect` was given it.
   * @returns whether the read of the store behind them began less than `maxAgeMs` ago.
   */
  lease([dek]: readonly Dek[], via?: Via): () => boolean {
    const began = this.#reader.standing(via)
    const isActive = dek === undefined || dek.keyId === this.activeKeyId
    return () => isActive && began !== null && this.#reader.isRecent(began)
  }

  /**
   * The DEKs of stored values, in the same order. No I/O while their KEKs are in memory (for
   * `wrapping: 'kms'`: the DEKs too): the promise is then resolved already, so Prisma's batching of
   * look-ups in one tick survives.
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
    if (!isWhole(looked)) looked = await this.#opener.fetch(wanted, looked, via)
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
    const looked = this.#opener.look(wanted, remember)
    if (isWhole(looked)) return looked.keys
    return (await this.#opener.fetch(wanted, looked, via, remember)).keys
  }

  /**
   * The KEKs that re-encrypting values takes, for a thread that opens and seals many: those of their key ids (or
   * why a value under one is not opened), and the active one with a use of it reserved for each record.
   *
   * @param records - 1 to 1,000,000.
   * @returns null if a root key wraps the DEKs under one of them: these come from `forProcessEach` and `forProtect`.
   * @throws {KeyError} as these two
   */
  async forReencrypt(keyIds: ReadonlySet<number>, records: number): Promise<ReencryptKeys | null> {
    this.#reader.refreshIfDue()
    const opening = await this.#opener.keks(keyIds, records)
    const sealing = opening && (await this.#sealer.kek(records))
    return opening && sealing && { opening, sealing }
  }

  /** Let go of all keys in memory. They are unwrapped again when they are needed. */
  forget(): void {
    this.#keks.clear()
    this.#deks.clear()
    this.#leases.clear()
    this.index.forget()
  }

  stats(): KeyringStats {
    return statsOf({
      root: this.root,
      index: this.index,
      reader: this.#reader,
      keks: this.#keks,
      deks: this.#deks,
      sealer: this.#sealer,
      opener: this.#opener,
    })
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

  /** After a read of the store: let go of keys past their time, and of those that may not open any more. */
  #forget(): void {
    this.#keks.purge()
    for (const row of this.#reader.snapshot?.rows.values() ?? []) {
      if (mayProcess(row)) this.#ended.delete(row.keyId)
      else if (this.#keks.drop(row.keyId) || !this.#ended.has(row.keyId)) this.#end(row.keyId)
    }
  }

  #end(keyId: number): void {
    this.#ended.add(keyId)
    this.#deks.drop(keyId)
  }
}
