import type { KeyObject } from 'node:crypto'
import { KeyError, RowsealError } from '../../errors.ts'
import { nameOf, type DekCache } from './dek-cache.ts'
import { refused, unwrapDek, type Kek } from './dek-wrap.ts'
import type { KekCache } from './kek-cache.ts'
import type { DekUnwraps, Sealed } from './kms-unwraps.ts'
import type { KeyOwners } from '../tenants/owners.ts'
import { unsettled } from '../keyring-errors.ts'
import type { StoreReader } from '../reading/reader.ts'
import { mayProcess } from '../lifecycle/states.ts'
import { isTenantKeyring } from '../tenants/tenants.ts'
import type { KeyRow, KeyStore, Via, WrappedDek } from '../types.ts'

/** For how many unknown key ids of one call the store is asked whose they are. */
const MAX_OWNERS_ASKED = 8
/** The store may tell of a key id, and then the root key unwrap; once more if the keyring changes meanwhile. */
const MAX_ROUNDS = 3

/** A DEK to open with, or why there is none. */
export type Opened = KeyObject | RowsealError

export interface Looked {
  /** One for each DEK wanted, in the same order; with holes if something is missing. */
  readonly keys: Opened[]
  readonly failure: RowsealError | null
  /** Key ids that are unknown or whose KEK is not in memory; null if there are none. */
  readonly missing: ReadonlySet<number> | null
  /** DEKs that only the root key can unwrap, by name; null if there are none. */
  readonly sealed: ReadonlyMap<string, Sealed> | null
}

/** What one call fetched, kept beside the caches so that no eviction can send it in circles. */
interface Fetched {
  readonly keks: Map<number, Kek>
  readonly deks: Map<string, Opened>
  readonly refusals: Map<number, KeyError>
}

/** What is known of a key id while one call looks at values under it. */
interface Version {
  readonly keyId: number
  readonly row: KeyRow | undefined
  readonly refusal: KeyError | undefined
  readonly kek: Kek | undefined
}

interface OpenerOptions {
  readonly keyring: string
  readonly store: KeyStore
  readonly reader: StoreReader
  readonly keks: KekCache
  readonly deks: DekCache
  readonly unwraps: DekUnwraps
  /** Which keyrings other key ids belong to. */
  readonly owners: KeyOwners
}

/**
 * Finds the DEK of stored values: look in memory, fetch what is missing, look again. Keyring, state
 * and suite are checked before any cache is asked, and only the key that the key id names is tried.
 */
export class Opener {
  readonly #options: OpenerOptions
  #unwrapped = 0

  constructor(options: OpenerOptions) {
    this.#options = options
  }

  /** DEKs unwrapped, by whichever key. */
  get unwraps(): number {
    return this.#unwrapped + this.#options.unwraps.done
  }

  /** What memory has. No I/O and nothing awaited. */
  look(wanted: readonly WrappedDek[], remember = true, fetched?: Fetched): Looked {
    const keys = new Array<Opened>(wanted.length)
    const opened = new Map<string, Opened>()
    let failure: RowsealError | null = null
    let missing: Set<number> | null = null
    let sealed: Map<string, Sealed> | null = null
    let version: Version | null = null
    for (let i = 0; i < wanted.length; i++) {
      const dek = wanted[i]!
      if (version?.keyId !== dek.keyId) version = this.#version(dek.keyId, fetched)
      const { row, kek } = version
      const name = nameOf(dek)
      let key: Opened | undefined = version.refusal
      if (row !== undefined && key === undefined) {
        if (row.suite !== dek.suite)
          key = refused() // a value of that suite was never sealed
        else if (kek !== undefined) key = this.#key(kek, dek, name, opened, remember, fetched)
        if (key === undefined && row.suite === 0x02)
          (sealed ??= new Map()).set(name, { name, row, dek })
      }
      if (key !== undefined) keys[i] = key
      else if (kek === undefined) (missing ??= new Set()).add(dek.keyId)
      if (key instanceof RowsealError) failure ??= key
    }
    return { keys, failure, missing, sealed }
  }

  /**
   * Read the store for unknown key ids, load the KEKs that are not in memory, have the root key unwrap
   * what only it can, and look again.
   *
   * @returns nothing is missing then.
   * @throws {KeyError} what concerns all values: `ERR_KEY_UNAVAILABLE`, `ERR_KEYRING_MISSING`,
   *   `ERR_KEY_MISMATCH`, or what the root key throws.
   */
  async fetch(
    wanted: readonly WrappedDek[],
    first: Looked,
    via?: Via,
    remember = true,
  ): Promise<Looked> {
    const { keyring } = this.#options
    const fetched: Fetched = { keks: new Map(), deks: new Map(), refusals: new Map() }
    let looked = first
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (isWhole(looked)) return looked
      const sealed = [...(looked.sealed?.values() ?? [])]
      const ids = new Set([...(looked.missing ?? []), ...sealed.map(({ dek }) => dek.keyId)])
      await this.#learn(ids, fetched, via)
      if (sealed.length > 0) {
        const opened = await this.#options.unwraps.open(sealed, remember)
        for (const [name, key] of opened) fetched.deks.set(name, key)
        await this.#load(ids, fetched) // again, as it may have been refused meanwhile
      }
      looked = this.look(wanted, remember, fetched)
    }
    if (isWhole(looked)) return looked
    throw unsettled(keyring)
  }

  /**
   * The KEKs of key ids, or why a value under one is not opened. Null if a root key alone unwraps the DEKs under
   * one of them.
   *
   * @param deks - how many the caller will unwrap.
   * @throws {KeyError} as `fetch`
   */
  async keks(
    keyIds: ReadonlySet<number>,
    deks: number,
  ): Promise<ReadonlyMap<number, Kek | KeyError> | null> {
    const fetched: Fetched = { keks: new Map(), deks: new Map(), refusals: new Map() }
    for (let round = 0; round <= MAX_ROUNDS; round++) {
      const found = new Map<number, Kek | KeyError>()
      const missing = new Set<number>()
      for (const keyId of keyIds) {
        const { row, refusal, kek } = this.#version(keyId, fetched)
        if (row?.suite === 0x02) return null
        const known = refusal ?? kek
        if (known === undefined) missing.add(keyId)
        else found.set(keyId, known)
      }
      if (missing.size === 0) {
        this.#unwrapped += deks
        return found
      }
      await this.#learn(missing, fetched)
    }
    throw unsettled(this.#options.keyring)
  }

  async #load(ids: ReadonlySet<number>, { keks }: Fetched): Promise<void> {
    const { reader } = this.#options
    const rows = [...ids].flatMap((keyId) => reader.snapshot?.rows.get(keyId) ?? [])
    const loads = rows.filter(mayProcess).map((row) => this.#options.keks.load(row))
    for (const kek of await Promise.all(loads)) keks.set(kek.keyId, kek)
  }

  #version(keyId: number, fetched?: Fetched): Version {
    const { reader, keks } = this.#options
    const row = reader.snapshot?.rows.get(keyId)
    const refusal = this.#refusal(keyId, row, fetched)
    const isLooked = row !== undefined && refusal === undefined
    const kek = isLooked ? (fetched?.keks.get(keyId) ?? keks.get(row)) : undefined
    return { keyId, row, refusal, kek }
  }

  #refusal(keyId: number, row: KeyRow | undefined, fetched?: Fetched): KeyError | undefined {
    if (row === undefined) {
      const { keyring, owners } = this.#options
      const owner = owners.get(keyId)
      // Its own, if it was made after this keyring was read.
      const isOwn = owner === undefined || owner === keyring
      return isOwn ? fetched?.refusals.get(keyId) : this.#foreignKey(keyId, owner)
    }
    return mayProcess(row) ? undefined : this.#notPermitted(row)
  }

  /** A DEK is given out only while its KEK may be used, also one that is in memory. */
  #key(
    kek: Kek,
    dek: WrappedDek,
    name: string,
    opened: Map<string, Opened>,
    remember: boolean,
    fetched?: Fetched,
  ): Opened | undefined {
    let key = opened.get(name) ?? fetched?.deks.get(name) ?? this.#options.deks.get(name)
    if (key === undefined) {
      if (dek.suite === 0x02) return undefined
      key = this.#unwrap(kek, dek, remember ? name : null)
    }
    opened.set(name, key)
    return key
  }

  #unwrap(kek: Kek, dek: WrappedDek, name: string | null): Opened {
    this.#unwrapped++
    try {
      if (name === null) return unwrapDek(kek, dek.wrapped)
      return unwrapDek(kek, dek.wrapped, (bytes) => this.#options.deks.set(name, bytes))
    } catch (error) {
      if (error instanceof RowsealError) return error
      throw error
    }
  }

  /** What the store says of unknown key ids, and the KEKs of those that may be used. */
  async #learn(ids: ReadonlySet<number>, fetched: Fetched, via?: Via): Promise<void> {
    const { reader } = this.#options
    const unknown = [...ids].filter((keyId) => reader.snapshot?.rows.has(keyId) !== true)
    if (unknown.length > 0) await this.#ask(unknown, fetched.refusals, via)
    await this.#load(ids, fetched)
  }

  /** One more read of the store; what it does not have is refused, with the reason. */
  async #ask(ids: readonly number[], refusals: Map<number, KeyError>, via?: Via): Promise<void> {
    const { reader, keyring, owners } = this.#options
    const isAsked = reader.mayLookAgain()
    if (isAsked) await reader.readNew(via)
    if (reader.snapshot === null) throw reader.missing()
    for (const [i, keyId] of ids.entries()) {
      if (reader.snapshot.rows.has(keyId)) continue
      const isOwnerAsked = isAsked && i < MAX_OWNERS_ASKED
      const owner = isOwnerAsked ? await owners.ask(keyId, via) : null
      if (isAsked) reader.noteMiss()
      if (owner === null || owner === keyring)
        refusals.set(keyId, this.#unknown(keyId, !isAsked || owner !== null))
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
      isTenantKeyring(keyring) && isTenantKeyring(owner) ? 'ERR_TENANT' : 'ERR_KEY_STATE',
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

/** Is there a DEK, or a reason why not, for everything that was wanted? */
export function isWhole({ missing, sealed }: Looked): boolean {
  return missing === null && sealed === null
}
