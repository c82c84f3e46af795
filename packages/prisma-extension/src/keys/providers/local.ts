import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { inspect } from 'node:util'
import { KeyError } from '../../errors.ts'
import type { RootKey, RootKeyInfo, WrapContext, WrappedKey } from '../types.ts'
import { readSource, type FoundKey, type LocalRootKeySource } from './local-source.ts'

export type { LocalRootKeySource } from './local-source.ts'

// A key wrapped by a local root key:
//
//   nonce (12) ‖ wrapped (32) ‖ tag (16)      AES-256-GCM under the root key
//   AAD: "rowseal/v1/local-" ‖ "kek", "dek" or "mac" ‖ key id (uint32, big-endian) ‖ keyring (UTF-8)
//
// Its id: "local:" ‖ first 8 bytes, in hex, of HMAC-SHA-256 under it of "rowseal/v1/local-id"

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
const TAG_AT = NONCE_BYTES + KEY_BYTES
const ID_BYTES = 8

/**
 * A root key held by this process. For development, tests, and places that have no KMS: whoever
 * reads the process's memory, environment or key file has it. It is read once, now.
 *
 * @param options.former - root keys before this one. They unwrap what they wrapped, so that
 *   `rowseal keys rewrap` moves it to this one; nothing new is wrapped by them.
 * @throws {KeyError} `ERR_ROOT_KEY_INVALID` naming the variable or the file, never what is in it.
 * @throws {TypeError} if not exactly one source is given.
 */
export function localRootKey(
  source: LocalRootKeySource,
  options: { readonly former?: readonly LocalRootKeySource[] } = {},
): RootKey {
  const { former = [] } = options
  return new LocalRootKey(readSource(source), former.map(readSource))
}

class LocalRootKey implements RootKey {
  readonly provider = 'local'
  /** Tells root keys apart, and nothing about them. */
  readonly id: string
  readonly #key: KeyObject
  readonly #where: string
  /** By id: this one and the former ones. */
  readonly #keys: ReadonlyMap<string, KeyObject>

  constructor({ key, where }: FoundKey, former: readonly FoundKey[]) {
    this.id = idOf(key)
    this.#key = key
    this.#where = where
    this.#keys = new Map([...former.map((one) => one.key), key].map((one) => [idOf(one), one]))
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- others ask a KMS
  async create(context: WrapContext): Promise<WrappedKey & { key: Buffer }> {
    const key = randomBytes(KEY_BYTES)
    return { key, ...this.#wrap(key, context) }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- others ask a KMS
  async unwrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<Buffer> {
    const { keyId, keyring } = context
    const key = this.#keys.get(rootKeyId)
    if (key === undefined) {
      throw new KeyError(
        'ERR_KEY_MISMATCH',
        `Key ${keyId} of keyring "${keyring}" was made with root key ${rootKeyId}; the one given (${this.#where}) is ${this.id}.`,
        {
          fix: `Give root key ${rootKeyId}, in \`former\` if another follows it, or connect the key store that belongs to ${this.id}.`,
        },
      )
    }
    const kek = unwrapped(key, wrapped, aadOf(context))
    if (kek !== null) return kek
    throw new KeyError(
      'ERR_KEY_MISMATCH',
      `The wrapped KEK of key ${keyId}, keyring "${keyring}", was altered or belongs to another key.`,
      { fix: 'Restore the key store from a backup.' },
    )
  }

  rewrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<WrappedKey> {
    return this.rebind(wrapped, rootKeyId, context, context)
  }

  async rebind(
    wrapped: Uint8Array,
    rootKeyId: string,
    from: WrapContext,
    to: WrapContext,
  ): Promise<WrappedKey> {
    const key = await this.unwrap(wrapped, rootKeyId, from)
    try {
      return this.#wrap(key, to)
    } finally {
      key.fill(0)
    }
  }

  describe(rootKeyId = this.id): Promise<RootKeyInfo> {
    const state = this.#keys.has(rootKeyId) ? 'enabled' : 'unavailable'
    return Promise.resolve({ rootKeyId, state, region: null, deletionAt: null, rotation: null })
  }

  regions(): Promise<readonly string[]> {
    return Promise.resolve([])
  }

  regionOf(): null {
    return null
  }

  #wrap(key: Uint8Array, context: WrapContext): WrappedKey {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(aadOf(context))
    const ciphertext = Buffer.concat([cipher.update(key), cipher.final()])
    return {
      wrapped: Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]),
      rootKeyId: this.id,
    }
  }

  toJSON(): object {
    const former = [...this.#keys.keys()].filter((id) => id !== this.id)
    return { provider: this.provider, id: this.id, ...(former.length === 0 ? {} : { former }) }
  }

  [inspect.custom](): string {
    return `RootKey ${inspect(this.toJSON())}`
  }
}

function unwrapped(key: KeyObject, wrapped: Uint8Array, aad: Uint8Array): Buffer | null {
  if (wrapped.length !== WRAPPED_BYTES) return null
  const nonce = wrapped.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(wrapped.subarray(TAG_AT))
  const kek = decipher.update(wrapped.subarray(NONCE_BYTES, TAG_AT))
  try {
    decipher.final()
    return kek
  } catch {
    kek.fill(0)
    return null
  }
}

function aadOf({ keyring, keyId, use }: WrapContext): Buffer {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(keyId)
  return Buffer.concat([Buffer.from(`rowseal/v1/local-${use}`), number, Buffer.from(keyring)])
}

function idOf(key: KeyObject): string {
  const digest = createHmac('sha256', key).update('rowseal/v1/local-id').digest()
  return `local:${digest.toString('hex', 0, ID_BYTES)}`
}
