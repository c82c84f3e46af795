import type { KeyObject } from 'node:crypto'
import { KeyError } from '../../errors.ts'
import type { Kek } from '../memory/dek-wrap.ts'
import { indexSubkey } from './index-subkey.ts'
import type { Snapshot } from '../reading/snapshot.ts'
import { mayMatch } from '../lifecycle/states.ts'
import type { IndexRecord, KeyRow } from '../types.ts'

/** Subkey of one index column, under one index key. */
export interface IndexKey {
  /** uint32; names the index key, not the subkey. */
  readonly keyId: number
  /** 256 bit, from HKDF. */
  readonly key: KeyObject
}

/** The index keys and the records of one moment, for one operation. */
export interface IndexView {
  readonly revision: number
  /** Key id that values of indexes that are not unique are written under. */
  readonly active: number
  /** Key ids that such values may be under, the active one first. */
  readonly live: readonly number[]
  /** Did the read that stands for this view begin less than `maxAgeMs` ago, and no key be refused since? */
  isFresh(): boolean
  /** How far an index is; null if it is not registered. */
  record(id: string): IndexRecord | null
  /**
   * Subkey of an index column, derived once.
   *
   * @param id - of the column: `Model.column` unless the annotation says otherwise.
   * @param keyId - a live one.
   * @throws {KeyError} `ERR_KEY_STATE` if the key id is not live.
   * @throws {TypeError} if the id is empty, over 1000 bytes, or holds a lone surrogate.
   */
  key(id: string, keyId: number): IndexKey
}

/** Subkeys by index column, of each index key in memory. */
export type Subkeys = WeakMap<Kek, Map<string, IndexKey>>

/** The versions whose values may be in the database, the active one first. */
export function liveOf({ active, rows }: Snapshot): readonly KeyRow[] {
  const others = [...rows.values()].filter((row) => row !== active && mayMatch(row))
  return [active, ...others]
}

/** @param keys - of all live versions, in their order. */
export function indexView(
  keyring: string,
  snapshot: Snapshot,
  keys: readonly Kek[],
  subkeys: Subkeys,
  isFresh: () => boolean,
): IndexView {
  return new View(keyring, snapshot, keys, subkeys, isFresh)
}

class View implements IndexView {
  readonly revision: number
  readonly active: number
  readonly live: readonly number[]
  readonly isFresh: () => boolean
  readonly #keyring: string
  readonly #records: ReadonlyMap<string, IndexRecord>
  readonly #keys: ReadonlyMap<number, Kek>
  readonly #subkeys: Subkeys

  constructor(
    keyring: string,
    snapshot: Snapshot,
    keys: readonly Kek[],
    subkeys: Subkeys,
    isFresh: () => boolean,
  ) {
    this.isFresh = isFresh
    this.revision = snapshot.revision
    this.active = snapshot.active.keyId
    this.live = Object.freeze(keys.map(({ keyId }) => keyId))
    this.#keyring = keyring
    this.#records = snapshot.indexes
    this.#keys = new Map(keys.map((key) => [key.keyId, key]))
    this.#subkeys = subkeys
  }

  record(id: string): IndexRecord | null {
    return this.#records.get(id) ?? null
  }

  key(id: string, keyId: number): IndexKey {
    const from = this.#keys.get(keyId)
    if (from === undefined) throw this.#notLive(keyId)
    let derived = this.#subkeys.get(from)
    if (derived === undefined) {
      derived = new Map<string, IndexKey>()
      this.#subkeys.set(from, derived)
    }
    const known = derived.get(id)
    if (known !== undefined) return known
    const subkey = Object.freeze({ keyId, key: indexSubkey(from.key, id) })
    derived.set(id, subkey)
    return subkey
  }

  #notLive(keyId: number): KeyError {
    return new KeyError(
      'ERR_KEY_STATE',
      `Key ${keyId} is no live index key of keyring "${this.#keyring}".`,
      { fix: '`npx rowseal reindex` brings all values under keys that are.' },
    )
  }
}
