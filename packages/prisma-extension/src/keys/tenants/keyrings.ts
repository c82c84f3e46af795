import { inspect } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Plan } from '../../plan/index.ts'
import { ageMs, momentOf, type Moment } from '../clock.ts'
import { isIndexKeyring } from '../indexes/index-name.ts'
import { keyringMissing } from '../keyring-errors.ts'
import { Keyring } from '../keyring.ts'
import { number } from '../options.ts'
import type { KeyringsStats } from '../stats.ts'
import type { KeyStore, Via } from '../types.ts'
import { EachOptions, type KeyringsOptions } from './options.ts'
import { KeyOwners } from './owners.ts'
import { provision } from './provision.ts'
import { RevisionMarks } from './revisions.ts'

/** An open keyring. */
interface Entry {
  readonly keyring: Keyring
  /** When the store last answered, or did not, because it was not recent; null if it never was asked. */
  asked: Moment | null
  /** The store is being asked. */
  asking: Promise<void> | null
}

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
  readonly #options: EachOptions
  readonly #owners: KeyOwners
  readonly #open: LRUCache<string, Entry>
  readonly #opening = new Map<string, Promise<Keyring>>()
  readonly #reached = new RevisionMarks()
  #opened = 0
  #evicted = 0

  constructor(options: KeyringsOptions) {
    const { store, entries } = options
    this.store = store
    this.#options = new EachOptions(options)
    this.#owners = new KeyOwners(store, OWNER_ENTRIES)
    this.#open = new LRUCache({
      max: number('entries', entries, 1000, 1, 100_000),
      dispose: ({ keyring }, _, reason) => {
        if (reason === 'evict') this.#evicted++
        this.#reached.note(keyring)
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
    const made = this.#unread(name)
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

  #unread(name: string): Keyring {
    return new Keyring(this.#options.of(name, this.#reached.of(name)), this.#owners)
  }

  async #read(name: string, via?: Via): Promise<Keyring> {
    const keyring = this.#unread(name)
    await keyring.root.regions() // refuses one that is not allowed, before any call
    if (!(await keyring.refresh(via))) throw keyringMissing(name, this.store)
    this.#opened++
    return keyring
  }

  /** Keep what was opened, unless somebody else has done so meanwhile. */
  #keep(keyring: Keyring): Keyring {
    const kept = this.#open.get(keyring.name)
    if (kept !== undefined) return kept.keyring
    this.#open.set(keyring.name, { keyring, asked: null, asking: null })
    const keyIds = [...keyring.keys(), ...keyring.index.keys()].map(({ keyId }) => keyId)
    this.#owners.note(keyIds, keyring.name)
    return keyring
  }

  /** If that fails, the keyring itself knows what it may still do. */
  async #recent(entry: Entry, via?: Via): Promise<Keyring> {
    if (this.#isUsable(entry)) return entry.keyring
    if (via !== undefined) await this.#ask(entry, via)
    else await (entry.asking ??= this.#ask(entry).finally(() => (entry.asking = null)))
    return entry.keyring
  }

  async #ask(entry: Entry, via?: Via): Promise<void> {
    const began = momentOf(this.#options.clock)
    await entry.keyring.refresh(via).catch(() => undefined)
    entry.asked = began
  }

  #isUsable({ keyring, asked }: Entry): boolean {
    const { clock, refreshMs } = this.#options
    return keyring.isRecent || (asked !== null && ageMs(clock, asked) <= refreshMs)
  }
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
