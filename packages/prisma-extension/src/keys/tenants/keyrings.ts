import { inspect } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Plan } from '../../plan/index.ts'
import { ageMs, momentOf, SYSTEM_CLOCK, type Clock, type Moment } from '../clock.ts'
import { GuardedRoot } from '../root/guarded-root.ts'
import { isIndexKeyring } from '../indexes/index-name.ts'
import { Keyring } from '../keyring.ts'
import {
  checkOptions,
  guardLimits,
  number,
  type CheckedOptions,
  type KeyringOptions,
} from '../options.ts'
import { KeyOwners } from './owners.ts'
import { provision } from './provision.ts'
import { keyringMissing } from '../keyring-errors.ts'
import type { KeyStore, RootKey, Via } from '../types.ts'

type PerKeyring = 'name' | 'root' | 'allowedRegions' | 'minRevision' | 'minIndexRevision'

export interface KeyringsOptions extends Omit<KeyringOptions, PerKeyring> {
  /**
   * The root key of all keyrings, or of each by its name, so that a tenant can have one of its own. Asked
   * each time a keyring is opened: give the same object for the same key.
   */
  readonly root: RootKey | ((name: string) => RootKey)
  /** As for `openKeyring`, for all keyrings or for each by its name. */
  readonly allowedRegions?:
    readonly string[] | ((name: string) => readonly string[] | undefined) | undefined
  /** As for `openKeyring`, for each by its name. */
  readonly minRevision?: (name: string) => number | undefined
  /** As for `openKeyring`, for each by its name. */
  readonly minIndexRevision?: (name: string) => number | undefined
  /**
   * Keyrings open at once. The one that was not used for longest makes room, and its keys are let go.
   * Higher: fewer calls of root keys; lower: less memory, about 0.1 MB each, and `dekCache` on top.
   * 1 to 100,000. Default: 1,000.
   */
  readonly entries?: number
}

/** Numbers for operators. */
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

/** An open keyring. */
interface Entry {
  readonly keyring: Keyring
  /** When the store was last asked because it was not recent; null if it never was. */
  asked: Moment | null
}

/** The newest states of a keyring and of its index keys that were seen. */
interface Revisions {
  readonly keks: number
  readonly index: number
}

/** Of each keyring, unless the options say otherwise: many are open at once. */
const DEK_ENTRIES = 1000
const KEK_ENTRIES = 16
const OWNER_ENTRIES = 10_000

/**
 * All keyrings of one store, opened by name when they are first needed. Made by `openKeyrings`.
 *
 * Opening reads the store and asks the root key for the MAC key; concurrent callers share one opening,
 * and failures are not kept. An opening inside a caller's transaction goes through that, and is shared
 * with nobody: waiting there for another connection can dead-lock.
 */
export class Keyrings {
  readonly store: KeyStore
  readonly #options: KeyringsOptions
  readonly #clock: Clock
  readonly #askMs: number
  readonly #owners: KeyOwners
  readonly #open: LRUCache<string, Entry>
  readonly #roots = new WeakMap<RootKey, GuardedRoot>()
  readonly #opening = new Map<string, Promise<Keyring>>()
  /** How far the keyrings were that are not open any more: an older state of one is not believed. */
  readonly #reached = new Map<string, Revisions>()
  #opened = 0
  #evicted = 0

  constructor(options: KeyringsOptions) {
    const { root, store, entries, clock = SYSTEM_CLOCK } = options
    this.#options = options
    this.#clock = clock
    this.store = store
    // What is wrong in all of them is said now. A root key by name can only be looked at later.
    const checked = typeof root === 'function' ? null : this.#checked('default')
    if (checked === null) number('refreshMs', options.refreshMs, 10_000, 100, 3_600_000)
    this.#askMs = checked?.refreshMs ?? options.refreshMs ?? 10_000
    this.#owners = new KeyOwners(store, OWNER_ENTRIES)
    this.#open = new LRUCache({
      max: number('entries', entries, 1000, 1, 100_000),
      dispose: ({ keyring }, name, reason) => {
        if (reason === 'evict') this.#evicted++
        this.#reached.set(name, reachedBy(keyring, this.#reached.get(name)))
        keyring.forget()
      },
    })
  }

  /**
   * The keyring of that name. One that was not used for longer than `maxAgeMs` is read anew first, so that
   * a tenant that was destroyed meanwhile is not served once more.
   *
   * @param via - the interactive transaction the caller is in, if any.
   * @throws {KeyError} `ERR_KEYRING_MISSING`, `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`,
   *   `ERR_STORE_NEWER`, `ERR_STORE_TAMPERED`, or what the root key throws.
   * @throws {TypeError} if this can be no name of a keyring.
   */
  async get(name: string, via?: Via): Promise<Keyring> {
    const kept = this.#open.get(name)
    if (kept !== undefined) return this.#recent(kept, via)
    if (via !== undefined) return this.#keep(await this.#read(name, via))
    const running = this.#opening.get(name)
    if (running !== undefined) return running
    const opening = this.#read(name)
      .then((keyring) => this.#keep(keyring))
      .finally(() => this.#opening.delete(name))
    this.#opening.set(name, opening)
    return opening
  }

  /** The keyring of that name if it is open and recent. Nothing is awaited. */
  peek(name: string): Keyring | null {
    const kept = this.#open.get(name)
    return kept !== undefined && this.#isUsable(kept) ? kept.keyring : null
  }

  /** The keyrings that are open, the latest used first. */
  *open(): IterableIterator<Keyring> {
    for (const { keyring } of this.#open.values()) yield keyring
  }

  /** Names of the keyrings in the store that begin with this. Those of index keys are left out. */
  async names(prefix = ''): Promise<readonly string[]> {
    const names = await this.store.keyrings(prefix)
    return names.filter((name) => !isIndexKeyring(name))
  }

  /**
   * Which keyring a key id belongs to.
   *
   * @returns null if no keyring of the store has it.
   */
  ownerOf(keyId: number, via?: Via): Promise<string | null> {
    return this.#owners.ask(keyId, via)
  }

  /** As `ownerOf`, if it is known. Nothing is awaited. */
  peekOwner(keyId: number): string | null {
    return this.#owners.get(keyId) ?? null
  }

  /**
   * Make a keyring, with index keys if the plan has blind indexes: where the application makes a tenant.
   * Leaves alone what is there; cut off anywhere, it can be called again. Not inside a transaction.
   *
   * @param plan - whose blind indexes are registered; those of fields under a keyring of another name are not.
   * @returns the keyring, and whether this call made it.
   * @throws {KeyError} as `initKeyring`; `ERR_INDEX_STATE` for an index that is registered with other
   *   normalizers.
   */
  async create(name: string, plan?: Plan): Promise<{ keyring: Keyring; created: boolean }> {
    const made = new Keyring(this.#checked(name), this.#owners)
    await made.root.regions()
    const { created } = await provision(made, plan)
    return { keyring: this.#keep(made), created }
  }

  /** Let go of a keyring and its keys in memory. It is opened again when it is needed. */
  close(name: string): void {
    this.#open.delete(name)
  }

  stats(): KeyringsStats {
    return {
      open: this.#open.size,
      opening: this.#opening.size,
      opened: this.#opened,
      evicted: this.#evicted,
    }
  }

  /** Store and counts. */
  toJSON(): object {
    return { store: this.store.name, ...this.stats() }
  }

  [inspect.custom](): string {
    return `Keyrings ${inspect(this.toJSON())}`
  }

  async #read(name: string, via?: Via): Promise<Keyring> {
    const keyring = new Keyring(this.#checked(name), this.#owners)
    await keyring.root.regions() // refuses one that is not allowed, before any call
    if (!(await keyring.refresh(via))) throw keyringMissing(name, this.store)
    this.#opened++
    return keyring
  }

  /** Keep what was opened, unless somebody else has done so meanwhile. */
  #keep(keyring: Keyring): Keyring {
    const kept = this.#open.get(keyring.name)
    if (kept !== undefined) return kept.keyring
    this.#open.set(keyring.name, { keyring, asked: null })
    const keyIds = [...keyring.keys(), ...keyring.index.keys()].map(({ keyId }) => keyId)
    this.#owners.note(keyIds, keyring.name)
    return keyring
  }

  /** If that fails, the keyring itself knows what it may still do. */
  async #recent(entry: Entry, via?: Via): Promise<Keyring> {
    if (!this.#isUsable(entry)) {
      entry.asked = momentOf(this.#clock)
      await entry.keyring.refresh(via).catch(() => undefined)
    }
    return entry.keyring
  }

  #isUsable({ keyring, asked }: Entry): boolean {
    return keyring.isRecent || (asked !== null && ageMs(this.#clock, asked) <= this.#askMs)
  }

  /** One circuit breaker for all keyrings under a root key. What is no root key is told so later. */
  #guarded(root: RootKey): RootKey {
    if (typeof (root as Partial<RootKey> | null)?.create !== 'function') return root
    let guarded = this.#roots.get(root)
    if (guarded === undefined) {
      guarded = GuardedRoot.around(root, guardLimits(this.#options), this.#clock)
      this.#roots.set(root, guarded)
    }
    return guarded
  }

  #checked(name: string): CheckedOptions {
    const { root, allowedRegions, minRevision, minIndexRevision, ...others } = this.#options
    const regions = typeof allowedRegions === 'function' ? allowedRegions(name) : allowedRegions
    const reached = this.#reached.get(name)
    const revision = higher(minRevision?.(name), reached?.keks)
    const indexRevision = higher(minIndexRevision?.(name), reached?.index)
    return checkOptions({
      ...others,
      name,
      root: this.#guarded(typeof root === 'function' ? root(name) : root),
      dekCache: { entries: DEK_ENTRIES, ...others.dekCache },
      kekCache: { entries: KEK_ENTRIES, ...others.kekCache },
      ...(regions === undefined ? {} : { allowedRegions: regions }),
      ...(revision === undefined ? {} : { minRevision: revision }),
      ...(indexRevision === undefined ? {} : { minIndexRevision: indexRevision }),
    })
  }
}

/** Index keys may not have been read this time. */
function reachedBy({ mac, index }: Keyring, former?: Revisions): Revisions {
  return {
    keks: Math.max(mac.revision, former?.keks ?? 0),
    index: Math.max(index.mac.revision, former?.index ?? 0),
  }
}

/** What is out of bounds stays so, and is refused. */
function higher(asked: number | undefined, reached = 0): number | undefined {
  return reached > (asked ?? 1) ? reached : asked
}

/**
 * All keyrings of a store, each opened when it is first needed: for a keyring per tenant. Asks nothing of
 * the store now.
 *
 * @throws {TypeError} for an option out of bounds.
 */
export function openKeyrings(options: KeyringsOptions): Keyrings {
  return new Keyrings(options)
}
