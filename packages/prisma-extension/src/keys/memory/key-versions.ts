import { KeyError } from '../../errors.ts'
import { unsettled } from '../keyring-errors.ts'
import { mayProcess } from '../lifecycle/states.ts'
import type { StoreReader } from '../reading/reader.ts'
import type { KeyOwners } from '../tenants/owners.ts'
import { isTenantKeyring } from '../tenants/tenants.ts'
import type { KeyRow, KeyStore, Via } from '../types.ts'
import type { Kek } from './dek-wrap.ts'
import type { KekCache } from './kek-cache.ts'

/** For how many unknown key ids of one call the store is asked whose they are. */
const MAX_OWNERS_ASKED = 8
/** The store may tell of a key id; once more if the keyring changes meanwhile. */
const MAX_ROUNDS = 3

/** What is known of a key id while one call looks at values under it. */
export interface Version {
  readonly keyId: number
  readonly row: KeyRow | undefined
  readonly refusal: KeyError | undefined
  readonly kek: Kek | undefined
}

/** What one call learnt, kept beside the caches so that no eviction can send it in circles. */
export interface Learnt {
  readonly keks: Map<number, Kek>
  readonly refusals: Map<number, KeyError>
}

export function nothingLearnt(): Learnt {
  return { keks: new Map(), refusals: new Map() }
}

/** See `Keyring.forReencrypt`. */
export interface ReencryptKeys {
  readonly opening: ReadonlyMap<number, Kek | KeyError>
  readonly sealing: Kek
}

interface KeyVersionsOptions {
  readonly keyring: string
  readonly store: KeyStore
  readonly reader: StoreReader
  readonly keks: KekCache
  /** Which keyrings other key ids belong to. */
  readonly owners: KeyOwners
}

/** The key versions that stored values name: whether each may open, and its KEK. */
export class KeyVersions {
  readonly #options: KeyVersionsOptions

  constructor(options: KeyVersionsOptions) {
    this.#options = options
  }

  /** What memory has. No I/O. */
  of(keyId: number, learnt?: Learnt): Version {
    const { reader, keks } = this.#options
    const row = reader.snapshot?.rows.get(keyId)
    const refusal = this.#refusal(keyId, row, learnt)
    const isLooked = row !== undefined && refusal === undefined
    const kek = isLooked ? (learnt?.keks.get(keyId) ?? keks.get(row)) : undefined
    return { keyId, row, refusal, kek }
  }

  /**
   * The KEKs of key ids, or why a value under one is not opened. Null if a root key alone unwraps the DEKs under
   * one of them.
   *
   * @throws {KeyError} as `learn`
   */
  async keks(keyIds: ReadonlySet<number>): Promise<ReadonlyMap<number, Kek | KeyError> | null> {
    const learnt = nothingLearnt()
    for (let round = 0; round <= MAX_ROUNDS; round++) {
      const found = new Map<number, Kek | KeyError>()
      const missing = new Set<number>()
      for (const keyId of keyIds) {
        const { row, refusal, kek } = this.of(keyId, learnt)
        if (row?.suite === 0x02) return null
        const known = refusal ?? kek
        if (known === undefined) missing.add(keyId)
        else found.set(keyId, known)
      }
      if (missing.size === 0) return found
      await this.learn(missing, learnt)
    }
    throw unsettled(this.#options.keyring)
  }

  /**
   * Read the store for unknown key ids, and load the KEKs of those that may be used.
   *
   * @throws {KeyError} what concerns all values: `ERR_KEY_UNAVAILABLE`, `ERR_KEYRING_MISSING`,
   *   `ERR_KEY_MISMATCH`, or what the root key throws.
   */
  async learn(ids: ReadonlySet<number>, learnt: Learnt, via?: Via): Promise<void> {
    const { reader } = this.#options
    const unknown = [...ids].filter((keyId) => reader.snapshot?.rows.has(keyId) !== true)
    if (unknown.length > 0) await this.#ask(unknown, learnt.refusals, via)
    await this.load(ids, learnt)
  }

  /** The KEKs of those that may be used. @throws {KeyError} as `learn` */
  async load(ids: ReadonlySet<number>, { keks }: Learnt): Promise<void> {
    const { reader } = this.#options
    const rows = [...ids].flatMap((keyId) => reader.snapshot?.rows.get(keyId) ?? [])
    const loads = rows.filter(mayProcess).map((row) => this.#options.keks.load(row))
    for (const kek of await Promise.all(loads)) keks.set(kek.keyId, kek)
  }

  #refusal(keyId: number, row: KeyRow | undefined, learnt?: Learnt): KeyError | undefined {
    if (row === undefined) {
      const { keyring, owners } = this.#options
      const owner = owners.get(keyId)
      // Its own, if it was made after this keyring was read.
      const isOwn = owner === undefined || owner === keyring
      return isOwn ? learnt?.refusals.get(keyId) : this.#foreignKey(keyId, owner)
    }
    return mayProcess(row) ? undefined : this.#notPermitted(row)
  }

  /** One more read of the store; what it does not have is refused, with the reason. */
  async #ask(ids: readonly number[], refusals: Map<number, KeyError>, via?: Via): Promise<void> {
    const { reader, keyring, owners } = this.#options
    const isAsked = reader.mayLookAgain()
    if (isAsked) await reader.readNew(via, true)
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
    const { keyring } = this.#options
    const isEnding = destroyAt !== null
    // A tenant's keys end together.
    const named = isTenantKeyring(keyring) ? `--keyring ${keyring}` : keyId
    return new KeyError(
      'ERR_KEY_STATE',
      `Key ${keyId} of keyring "${keyring}" is ${isEnding ? 'about to be destroyed' : state} and opens nothing.`,
      {
        fix: isEnding
          ? `If the value is needed, \`npx rowseal keys destroy ${named} --cancel\` before ${destroyAt.toISOString()}.`
          : 'Restore the value from a copy that was sealed under another key.',
      },
    )
  }
}
