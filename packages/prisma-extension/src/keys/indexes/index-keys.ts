import { StoreMac } from '../reading/authentic.ts'
import type { Kek } from '../memory/dek-wrap.ts'
import { indexKeyringOf } from './index-name.ts'
import { indexView, liveOf, type IndexView, type Subkeys } from './index-view.ts'
import { KekCache } from '../memory/kek-cache.ts'
import type { CheckedOptions } from '../options.ts'
import { keyringClosed, unsettled } from '../keyring-errors.ts'
import { StoreReader, type Held } from '../reading/reader.ts'
import { mayMatch } from '../lifecycle/states.ts'
import type { IndexRecord, KeyRow, Via } from '../types.ts'

/** How often a view starts over when the index keys change while one of them is loaded. */
const MAX_TRIES = 3
/** Room for the live versions of a keyring, however small the cache of KEKs is. */
const MIN_ENTRIES = 100

/** Numbers for operators. No key material. */
export interface IndexKeyStats {
  readonly activeKeyId: number
  readonly revision: number
  /** Milliseconds since the last read of the store that worked began. */
  readonly storeAgeMs: number
  readonly storeReads: number
  readonly storeFailures: number
  /** Code of the last read's error; null if it worked. */
  readonly storeError: string | null
  readonly rootKeyCalls: number
}

/**
 * The keys of a keyring's blind indexes, and how far each index is: the keyring `<name>/index` of the
 * same store. Nothing is read before the first use, so a keyring without blind indexes pays nothing.
 */
export class IndexKeys {
  /** Name of the keyring that holds them. */
  readonly name: string
  /** An instance opened with these options follows a change after at most so many milliseconds. */
  readonly maxAgeMs: number
  /** Authenticates their rows in the store. */
  readonly mac: StoreMac
  readonly #reader: StoreReader
  readonly #loaded: KekCache
  /** Go with the key they come from. */
  #subkeys: Subkeys = new WeakMap()
  /** How often the root key refused one of the keys. */
  #denials = 0
  #view: { readonly of: Held; readonly keys: readonly Kek[]; readonly is: IndexView } | null = null

  constructor(options: CheckedOptions) {
    this.name = indexKeyringOf(options.name)
    this.maxAgeMs = options.maxAgeMs
    this.mac = new StoreMac(this.name, options.root, options.minIndexRevision)
    const entries = Math.max(options.kekCache.entries, MIN_ENTRIES)
    this.#loaded = new KekCache({
      root: options.root,
      limits: { ...options.kekCache, entries },
      clock: options.clock,
      onDenied: () => this.#deny(),
    })
    this.#reader = new StoreReader({
      ...options,
      keyring: this.name,
      mac: this.mac,
      onRead: () => {
        this.#view = null
        this.#loaded.purge()
        for (const row of this.keys()) if (!mayMatch(row)) this.#loaded.drop(row.keyId)
      },
    })
  }

  /** Did the last read of the store find an index key? */
  get exists(): boolean {
    return this.#reader.snapshot !== null
  }

  /** The index key versions as last read from the store, by version. */
  keys(): readonly KeyRow[] {
    return [...(this.#reader.snapshot?.rows.values() ?? [])]
  }

  /** The blind indexes as last read from the store. */
  records(): readonly IndexRecord[] {
    return [...(this.#reader.snapshot?.indexes.values() ?? [])]
  }

  /**
   * What one operation on blind indexes works with, all of one moment. Use it for that operation and
   * nothing after. Not a promise if all keys are in memory and the store was read less than
   * `maxAgeMs` ago, so that Prisma's batching of look-ups in one tick survives.
   *
   * @param via - the interactive transaction the caller is in, if any.
   * @throws {KeyError} rejects with `ERR_KEYRING_MISSING` if there is no index key yet,
   *   `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`, `ERR_STORE_NEWER`
   */
  view(via?: Via): IndexView | Promise<IndexView> {
    this.#reader.refreshIfDue()
    const held = this.#reader.fresh()
    return (held && this.#viewOf(held)) ?? this.#fetch(via)
  }

  /**
   * Read the store now, in a read that begins after this call.
   *
   * @param via - the interactive transaction the caller is in, if any.
   * @returns false if there is no index key yet.
   * @throws {KeyError} as `Keyring.refresh`
   */
  async refresh(via?: Via): Promise<boolean> {
    await this.#reader.readNew(via)
    return this.exists
  }

  /** Let go of all keys in memory. */
  forget(): void {
    this.#loaded.clear()
    this.#view = null
  }

  /** Null until a read of the store found an index key. */
  stats(): IndexKeyStats | null {
    const { snapshot, ageMs, reads, failures, lastError } = this.#reader
    if (snapshot === null) return null
    return {
      activeKeyId: snapshot.active.keyId,
      revision: snapshot.revision,
      storeAgeMs: ageMs ?? 0,
      storeReads: reads,
      storeFailures: failures,
      storeError: lastError,
      rootKeyCalls: this.#loaded.rootKeyCalls,
    }
  }

  /** No view goes on after a denial: those given out are not fresh any more. */
  #deny(): void {
    this.#denials++
    this.#view = null
    this.#subkeys = new WeakMap()
  }

  /** The view of a snapshot, if all its keys are in memory. */
  #viewOf(held: Held): IndexView | null {
    if (held.snapshot.active.state !== 'active') return null
    const keys: Kek[] = []
    for (const row of liveOf(held.snapshot)) {
      const key = this.#loaded.get(row)
      if (key === undefined) return null
      keys.push(key)
    }
    return this.#keep(held, keys)
  }

  /** The view kept, if it is of these; else a new one. */
  #keep(held: Held, keys: readonly Kek[]): IndexView {
    const { snapshot, began } = held
    const kept = this.#view
    const isSame = kept?.of.snapshot === snapshot && kept.of.began === began
    if (isSame && kept.keys.every((key, i) => key === keys[i])) return kept.is
    const denials = this.#denials
    const isFresh = (): boolean => denials === this.#denials && this.#reader.isRecent(began)
    const is = indexView(this.name, snapshot, keys, this.#subkeys, isFresh)
    this.#view = { of: held, keys, is }
    return is
  }

  /** Loading can take long, so the store is looked at once more afterwards. */
  async #fetch(via?: Via): Promise<IndexView> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const denials = this.#denials
      const before = this.#reader.fresh() ?? (await this.#reader.demand(via))
      if (before.snapshot.active.state !== 'active') throw keyringClosed(this.name)
      const keys = await Promise.all(liveOf(before.snapshot).map((row) => this.#loaded.load(row)))
      const now = this.#reader.current(before)
      if (now?.snapshot.revision !== before.snapshot.revision) continue
      if (denials === this.#denials) return this.#keep(now, keys)
    }
    throw unsettled(this.name)
  }
}
