import type { KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { KeyError, RowsealError } from '../errors.ts'
import { nameOf, type DekCache } from './dek-cache.ts'
import { refused, unwrapDek, type Kek } from './dek-wrap.ts'
import type { KekCache } from './kek.ts'
import type { StoreReader } from './reader.ts'
import { mayProcess } from './states.ts'
import type { KeyRow, KeyStore, Via, WrappedDek } from './types.ts'

/** Key ids known to belong to other keyrings. They never change hands. */
const FOREIGN_ENTRIES = 1000
/** For how many unknown key ids of one call the store is asked whose they are. */
const MAX_OWNERS_ASKED = 8

/** A DEK to open with, or why there is none. */
export type Opened = KeyObject | RowsealError

export interface Looked {
  /** One for each DEK wanted, in the same order; with holes if something is missing. */
  readonly keys: Opened[]
  readonly failure: RowsealError | null
  /** Key ids that are unknown or whose KEK is not in memory; null if there are none. */
  readonly missing: ReadonlySet<number> | null
}

/** What one call fetched, kept beside the caches so that no eviction can send it in circles. */
interface Fetched {
  readonly keks: Map<number, Kek>
  readonly refusals: Map<number, KeyError>
}

interface OpenerOptions {
  readonly keyring: string
  readonly store: KeyStore
  readonly reader: StoreReader
  readonly keks: KekCache
  readonly deks: DekCache
}

/**
 * Finds the DEK of stored values: look in memory, fetch what is missing, look again. Keyring, state
 * and suite are checked before any cache is asked, and only the key that the key id names is tried.
 */
export class Opener {
  readonly #options: OpenerOptions
  readonly #foreign = new LRUCache<number, string>({ max: FOREIGN_ENTRIES })
  unwraps = 0

  constructor(options: OpenerOptions) {
    this.#options = options
  }

  /** What memory has. No I/O and nothing awaited. */
  look(wanted: readonly WrappedDek[], remember = true, fetched?: Fetched): Looked {
    const { reader } = this.#options
    const keys = new Array<Opened>(wanted.length)
    const opened = new Map<string, Opened>()
    let failure: RowsealError | null = null
    let missing: Set<number> | null = null
    for (let i = 0; i < wanted.length; i++) {
      const dek = wanted[i]!
      const row = reader.snapshot?.rows.get(dek.keyId)
      const key =
        this.#refusal(dek, row, fetched) ?? (row && this.#key(dek, opened, remember, fetched))
      if (key === undefined) missing = (missing ?? new Set()).add(dek.keyId)
      else keys[i] = key
      if (key instanceof RowsealError) failure ??= key
    }
    return { keys, failure, missing }
  }

  /**
   * Read the store for unknown key ids, load the KEKs that are not in memory, look again.
   *
   * @throws {KeyError} what concerns all values: `ERR_KEY_UNAVAILABLE`, `ERR_KEYRING_MISSING`,
   *   `ERR_KEY_MISMATCH`.
   */
  async fetch(
    wanted: readonly WrappedDek[],
    first: Looked,
    via?: Via,
    remember = true,
  ): Promise<Looked> {
    const { reader, keks } = this.#options
    const fetched: Fetched = { keks: new Map(), refusals: new Map() }
    let looked = first
    // A second round only if the keyring changes meanwhile.
    for (let round = 0; round < 2 && looked.missing !== null; round++) {
      const ids = [...looked.missing]
      const unknown = ids.filter((keyId) => reader.snapshot?.rows.has(keyId) !== true)
      if (unknown.length > 0) await this.#learn(unknown, fetched.refusals, via)
      const rows = ids.flatMap((keyId) => reader.snapshot?.rows.get(keyId) ?? [])
      const loads = rows.filter(mayProcess).map((row) => keks.load(row))
      for (const kek of await Promise.all(loads)) fetched.keks.set(kek.keyId, kek)
      looked = this.look(wanted, remember, fetched)
    }
    return looked
  }

  #refusal(dek: WrappedDek, row: KeyRow | undefined, fetched?: Fetched): RowsealError | undefined {
    if (row === undefined) {
      const keyring = this.#foreign.get(dek.keyId)
      return keyring === undefined
        ? fetched?.refusals.get(dek.keyId)
        : this.#foreignKey(dek.keyId, keyring)
    }
    if (!mayProcess(row)) return this.#notPermitted(row)
    if (row.suite !== dek.suite) return refused() // a value of that suite was never sealed
    return undefined
  }

  #key(
    dek: WrappedDek,
    opened: Map<string, Opened>,
    remember: boolean,
    fetched?: Fetched,
  ): Opened | undefined {
    const { deks, keks } = this.#options
    const name = nameOf(dek)
    let key = opened.get(name) ?? deks.get(name)
    if (key === undefined) {
      const kek = fetched?.keks.get(dek.keyId) ?? keks.get(dek.keyId)
      if (kek === undefined) return undefined
      key = this.#unwrap(kek, dek, remember ? name : null)
    }
    opened.set(name, key)
    return key
  }

  #unwrap(kek: Kek, dek: WrappedDek, name: string | null): Opened {
    this.unwraps++
    try {
      if (name === null) return unwrapDek(kek, dek.wrapped)
      return unwrapDek(kek, dek.wrapped, (bytes) => this.#options.deks.set(name, bytes))
    } catch (error) {
      if (error instanceof RowsealError) return error
      throw error
    }
  }

  /** One more read of the store; what it does not have is refused, with the reason. */
  async #learn(ids: readonly number[], refusals: Map<number, KeyError>, via?: Via): Promise<void> {
    const { reader, store } = this.#options
    const isAsked = reader.mayLookAgain()
    if (isAsked) await reader.readNew(via)
    if (reader.snapshot === null) throw reader.missing()
    for (const [i, keyId] of ids.entries()) {
      if (reader.snapshot.rows.has(keyId)) continue
      const isOwnerAsked = isAsked && i < MAX_OWNERS_ASKED
      const keyring = isOwnerAsked ? await store.keyringOf(keyId, via) : null
      if (isAsked) reader.noteMiss()
      if (keyring === null) refusals.set(keyId, this.#unknown(keyId, !isAsked))
      else this.#foreign.set(keyId, keyring)
    }
  }

  #unknown(keyId: number, retryable: boolean): KeyError {
    const { keyring, store } = this.#options
    return new KeyError('ERR_KEY_UNKNOWN', `Key ${keyId} is not in the ${store.name}.`, {
      fix: retryable
        ? 'The store was asked for another key less than a second ago: try again then.'
        : `Connect the key store that sealed the value, or restore keyring "${keyring}" from a backup.`,
      retryable,
    })
  }

  #foreignKey(keyId: number, owner: string): KeyError {
    const { keyring } = this.#options
    return new KeyError(
      'ERR_KEY_STATE',
      `Key ${keyId} belongs to keyring "${owner}", not to "${keyring}": it may not open this value.`,
      { fix: `Open the value through keyring "${owner}", or find out who moved it here.` },
    )
  }

  #notPermitted({ keyId, state, destroyAt }: KeyRow): KeyError {
    const isEnding = destroyAt !== null
    return new KeyError(
      'ERR_KEY_STATE',
      `Key ${keyId} of keyring "${this.#options.keyring}" is ${isEnding ? 'about to be destroyed' : state} and opens nothing.`,
      {
        fix: isEnding
          ? `If the value is needed, \`npx rowseal keys destroy ${keyId} --cancel\` before ${destroyAt.toISOString()}.`
          : 'Restore the value from a copy that was sealed under another key.',
      },
    )
  }
}
