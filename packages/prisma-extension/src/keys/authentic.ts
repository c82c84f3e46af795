import {
  createHash,
  createHmac,
  createSecretKey,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto'
import { KeyError } from '../errors.ts'
import { fromRoot } from './kek.ts'
import type {
  IndexRecord,
  KeyringHead,
  KeyringSnapshot,
  KeyRow,
  RootKey,
  WrapContext,
  WrappedKey,
} from './types.ts'

// Who can write the key store, but not use the root key, must not be able to change it unnoticed:
//
//   digest of a row  SHA-256 of "rowseal/v1/row" ‖ its columns but the uses, as one JSON list
//   MAC of the head  HMAC-SHA-256 of "rowseal/v1/head" ‖ its columns and all digests, as one JSON list,
//                    under a key of its own that the root key wraps
//
// So a row that was edited, removed, added or put back to what it was is found, and said. An older
// state of the whole keyring has a right MAC: only its revision tells, see `StoreReader`.

const ROW_LABEL = 'rowseal/v1/row'
const HEAD_LABEL = 'rowseal/v1/head'

type Unsigned = Omit<KeyringHead, 'mac'>

/** Makes and checks the MAC of one keyring. The MAC key is unwrapped at its first use, and kept. */
export class StoreMac {
  readonly #keyring: string
  readonly #root: RootKey
  #held: { readonly name: string; readonly key: Promise<KeyObject> } | null = null

  constructor(keyring: string, root: RootKey) {
    this.#keyring = keyring
    this.#root = root
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
   * @throws {KeyError} what the root key throws.
   */
  async sign(head: Unsigned): Promise<KeyringHead> {
    return { ...head, mac: macOf(await this.#keyOf(head.macKey), head) }
  }

  /**
   * @throws {KeyError} `ERR_STORE_TAMPERED` naming the key version or the head; what the root key throws.
   */
  async assertAuthentic({ head, keys }: KeyringSnapshot): Promise<void> {
    const expected = macOf(await this.#keyOf(head.macKey), head)
    if (expected.length !== head.mac.length || !timingSafeEqual(expected, head.mac)) {
      throw tampered(this.#keyring, 'Its head does not fit its MAC.')
    }
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
  #keyOf({ wrapped, rootKeyId }: WrappedKey): Promise<KeyObject> {
    const name = `${rootKeyId} ${Buffer.from(wrapped).toString('base64')}`
    if (this.#held?.name === name) return this.#held.key
    const key = fromRoot(this.#root, () => this.#root.unwrap(wrapped, rootKeyId, this.#context))
      .then((bytes) => {
        const made = createSecretKey(bytes)
        bytes.fill(0)
        return made
      })
      .catch((error: unknown) => {
        if (this.#held === held) this.#held = null
        throw error
      })
    const held = { name, key }
    this.#held = held
    return key
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

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
