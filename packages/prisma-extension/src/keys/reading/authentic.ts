import {
  createHash,
  createHmac,
  createSecretKey,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto'
import { KeyError } from '../../errors.ts'
import { fromRoot } from '../memory/kek.ts'
import type {
  IndexRecord,
  KeyringHead,
  KeyringSnapshot,
  KeyRow,
  RootKey,
  WrapContext,
  WrappedKey,
} from '../types.ts'

// Who can write the key store, but not use the root key, must not be able to change it unnoticed:
//
//   digest of a row  SHA-256 of "rowseal/v1/row" ‖ its columns but the uses, as one JSON list
//   MAC of the head  HMAC-SHA-256 of "rowseal/v1/head" ‖ its columns and all digests, as one JSON list,
//                    under a key of its own that the root key wraps
//
// So a row that was edited, removed, added or put back to what it was is found, and said. An older
// state of the whole keyring has a right MAC. Within a process its revision tells, and that the MAC key
// or the state of one revision became another; across starts only `minRevision` does.

const ROW_LABEL = 'rowseal/v1/row'
const HEAD_LABEL = 'rowseal/v1/head'

type Unsigned = Omit<KeyringHead, 'mac'>

/** Makes and checks the MAC of one keyring. The MAC key is unwrapped at its first use, and kept. */
export class StoreMac {
  readonly #keyring: string
  readonly #root: RootKey
  readonly #minRevision: number
  #held: { readonly name: string; readonly key: Promise<KeyObject> } | null = null
  /** The MAC key of the first state that was found authentic. Re-wrapping does not change it. */
  #known: KeyObject | null = null
  /** The newest state that was found authentic, or was written. */
  #newest: Pick<KeyringHead, 'revision' | 'mac'> | null = null

  /** @param minRevision - the lowest revision that is believed, as an outside anchor says. */
  constructor(keyring: string, root: RootKey, minRevision = 1) {
    this.#keyring = keyring
    this.#root = root
    this.#minRevision = minRevision
  }

  /** The highest revision seen so far. A read that begins now and finds a lower one was lied to. */
  get revision(): number {
    return this.#newest?.revision ?? 0
  }

  /** A MAC key for a new keyring. */
  async create(): Promise<WrappedKey> {
    const made = await fromRoot(this.#root, () => this.#root.create(this.#context))
    made.key.fill(0)
    return { wrapped: made.wrapped, rootKeyId: made.rootKeyId }
  }

  /** The same MAC key under the root key that is used now. */
  rewrap({ wrapped, rootKeyId }: WrappedKey): Promise<WrappedKey> {
    return fromRoot(this.#root, () => this.#root.rewrap(wrapped, rootKeyId, this.#context))
  }

  /**
   * The head with its MAC.
   *
   * @throws {KeyError} `ERR_KEY_MISMATCH` if its MAC key is not the one known; what the root key throws.
   */
  async sign(head: Unsigned): Promise<KeyringHead> {
    const key = await this.#keyOf(head.macKey)
    if (this.#known?.equals(key) !== false) return { ...head, mac: macOf(key, head) }
    throw new KeyError(
      'ERR_KEY_MISMATCH',
      `The root key (${this.#root.provider}) re-wrapped another key than the MAC key of keyring "${this.#keyring}".`,
      { fix: 'Look at the provider of the root key. Nothing was changed.' },
    )
  }

  /**
   * @param floor - `revision` when the read began; null for one inside a transaction, which may see the store
   *   as it was when the transaction began and proves nothing of what is there now.
   * @throws {KeyError} `ERR_STORE_TAMPERED` naming the key version or the head; what the root key throws.
   */
  async assertAuthentic({ head, keys }: KeyringSnapshot, floor: number | null): Promise<void> {
    const key = await this.#keyOf(head.macKey)
    if (!isSame(macOf(key, head), head.mac)) throw this.#wrongHead('does not fit its MAC')
    if (this.#known?.equals(key) === false) throw this.#wrongHead('is under another MAC key')
    this.#assertRows(head, keys)
    const { revision } = head
    if (revision < this.#minRevision) throw this.#putBack(revision, this.#minRevision)
    if (floor === null) return
    if (revision < floor) throw this.#putBack(revision, floor)
    if (revision === this.revision && !isSame(this.#newest!.mac, head.mac)) {
      throw this.#wrongHead(`is another one than was read before at revision ${revision}`)
    }
    this.#known ??= key
    this.note(head)
  }

  /** This state was read or written, and is in the store. */
  note({ revision, mac }: KeyringHead): void {
    if (revision > this.revision) this.#newest = { revision, mac: Uint8Array.from(mac) }
  }

  #assertRows(head: KeyringHead, keys: readonly KeyRow[]): void {
    const digests = new Map(head.digests)
    for (const row of keys) {
      const digest = digests.get(row.keyId)
      if (digest === undefined) throw this.#wrongRow(row.keyId, 'was put there')
      if (digest !== digestOf(row)) throw this.#wrongRow(row.keyId, 'was edited')
      digests.delete(row.keyId)
    }
    const [lost] = digests.keys()
    if (lost !== undefined) throw this.#wrongRow(lost, 'was removed')
  }

  get #context(): WrapContext {
    return { keyring: this.#keyring, keyId: 0, use: 'mac' }
  }

  /** Failures are not kept. */
  #keyOf(macKey: WrappedKey): Promise<KeyObject> {
    const name = `${macKey.rootKeyId} ${Buffer.from(macKey.wrapped).toString('base64')}`
    if (this.#held?.name === name) return this.#held.key
    const key = this.#unwrap(macKey).catch((error: unknown) => {
      if (this.#held === held) this.#held = null
      throw error
    })
    const held = { name, key }
    this.#held = held
    return key
  }

  async #unwrap({ wrapped, rootKeyId }: WrappedKey): Promise<KeyObject> {
    try {
      const bytes = await fromRoot(this.#root, () =>
        this.#root.unwrap(wrapped, rootKeyId, this.#context),
      )
      const key = createSecretKey(bytes)
      bytes.fill(0)
      return key
    } catch (error) {
      // A root key that can be used and does not open it is not the wrong one: what is wrapped is wrong.
      const isRefused = error instanceof KeyError && error.code === 'ERR_KEY_MISMATCH'
      if (isRefused && (await this.#isUsable(rootKeyId))) {
        throw this.#wrongHead('has a MAC key that the root key did not wrap for it')
      }
      throw error
    }
  }

  async #isUsable(rootKeyId: string): Promise<boolean> {
    try {
      return (await this.#root.describe(rootKeyId)).state === 'enabled'
    } catch {
      return false
    }
  }

  #putBack(found: number, before: number): KeyError {
    return tampered(
      this.#keyring,
      `Its head is at revision ${found}, and was at ${before} before: the store was put back to an older state.`,
    )
  }

  #wrongHead(how: string): KeyError {
    return tampered(this.#keyring, `Its head ${how}.`)
  }

  #wrongRow(keyId: number, how: string): KeyError {
    return tampered(this.#keyring, `The row of key ${keyId} ${how}.`)
  }
}

/** SHA-256 of a row, in hex. */
export function digestOf(row: KeyRow): string {
  const columns = [
    row.keyId,
    row.keyring,
    row.version,
    row.state,
    row.suite,
    row.rootKeyId,
    hexOf(row.wrappedKek),
    hexOf(row.checkValue),
    row.createdAt.getTime(),
    row.activatedAt?.getTime() ?? null,
    row.suspendedAt?.getTime() ?? null,
    row.compromisedAt?.getTime() ?? null,
    row.destroyAt?.getTime() ?? null,
    row.stateAt.getTime(),
    row.rewrappedFrom,
  ]
  return createHash('sha256').update(ROW_LABEL).update(JSON.stringify(columns)).digest('hex')
}

/** The digests of a head that has these rows. */
export function digestsOf(rows: Iterable<KeyRow>): KeyringHead['digests'] {
  const sorted = [...rows].sort((a, b) => a.keyId - b.keyId)
  return sorted.map((row) => [row.keyId, digestOf(row)] as const)
}

/** What is said of a key store that somebody else wrote. */
export function tampered(keyring: string, what: string): KeyError {
  return new KeyError(
    'ERR_STORE_TAMPERED',
    `The key store's rows of keyring "${keyring}" are not as they were written. ${what}`,
    { fix: 'Find out who wrote there, and restore the key store from a backup.' },
  )
}

function macOf(key: KeyObject, head: Unsigned): Buffer {
  const columns = [
    head.keyring,
    head.activeKeyId,
    head.revision,
    head.indexes.map(columnsOf),
    head.digests,
    head.macKey.rootKeyId,
    hexOf(head.macKey.wrapped),
  ]
  return createHmac('sha256', key).update(HEAD_LABEL).update(JSON.stringify(columns)).digest()
}

function columnsOf(record: IndexRecord): readonly unknown[] {
  const { id, normalize, isUnique, complete, lookup, writes, keys } = record
  return [id, normalize, isUnique, complete, lookup, writes, keys]
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
