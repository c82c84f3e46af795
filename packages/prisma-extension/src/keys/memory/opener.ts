import type { KeyObject } from 'node:crypto'
import { RowsealError, type KeyError } from '../../errors.ts'
import { nameOf, type DekCache } from './dek-cache.ts'
import { refused, unwrapDek, type Kek } from './dek-wrap.ts'
import { nothingLearnt, type KeyVersions, type Learnt, type Version } from './key-versions.ts'
import type { DekUnwraps, Sealed } from './kms-unwraps.ts'
import { unsettled } from '../keyring-errors.ts'
import type { Via, WrappedDek } from '../types.ts'

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

/** What one call fetched. */
interface Fetched extends Learnt {
  readonly deks: Map<string, Opened>
}

interface OpenerOptions {
  readonly keyring: string
  readonly versions: KeyVersions
  readonly deks: DekCache
  readonly unwraps: DekUnwraps
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
    const { versions } = this.#options
    const keys = new Array<Opened>(wanted.length)
    const opened = new Map<string, Opened>()
    let failure: RowsealError | null = null
    let missing: Set<number> | null = null
    let sealed: Map<string, Sealed> | null = null
    let version: Version | null = null
    for (let i = 0; i < wanted.length; i++) {
      const dek = wanted[i]!
      if (version?.keyId !== dek.keyId) version = versions.of(dek.keyId, fetched)
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
    const { keyring, versions } = this.#options
    const fetched: Fetched = { ...nothingLearnt(), deks: new Map() }
    let looked = first
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (isWhole(looked)) return looked
      const sealed = [...(looked.sealed?.values() ?? [])]
      const ids = new Set([...(looked.missing ?? []), ...sealed.map(({ dek }) => dek.keyId)])
      await versions.learn(ids, fetched, via)
      if (sealed.length > 0) {
        const opened = await this.#options.unwraps.open(sealed, remember)
        for (const [name, key] of opened) fetched.deks.set(name, key)
        await versions.load(ids, fetched) // again, as it may have been refused meanwhile
      }
      looked = this.look(wanted, remember, fetched)
    }
    if (isWhole(looked)) return looked
    throw unsettled(keyring)
  }

  /**
   * As `KeyVersions.keks`, for unwrapping elsewhere.
   *
   * @param deks - how many that will be.
   */
  async keks(
    keyIds: ReadonlySet<number>,
    deks: number,
  ): Promise<ReadonlyMap<number, Kek | KeyError> | null> {
    const keks = await this.#options.versions.keks(keyIds)
    if (keks !== null) this.#unwrapped += deks
    return keks
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
}

/** Is there a DEK, or a reason why not, for everything that was wanted? */
export function isWhole({ missing, sealed }: Looked): boolean {
  return missing === null && sealed === null
}
