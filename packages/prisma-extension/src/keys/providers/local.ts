import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  KeyObject,
  randomBytes,
} from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { inspect } from 'node:util'
import { KeyError } from '../../errors.ts'
import type { RootKey, RootKeyInfo, WrapContext, WrappedKey } from '../types.ts'

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
const MAX_FILE_BYTES = 1024
const MAKE_ONE = 'Make one with `openssl rand -base64 32`'

/** Where the 32 bytes come from. In text they are base64, base64url or 64 hex digits. */
export type LocalRootKeySource =
  /** Name of an environment variable that holds the key as text. */
  | { readonly env: string }
  /** Path of a file that holds the key as text, which its owner alone can read (mode 0600 or 0400). */
  | { readonly file: string }
  /** The key itself, say from a secret manager. Bytes are copied; zero yours. */
  | { readonly key: KeyObject | Uint8Array }

/**
 * A root key held by this process. For development, tests, and places that have no KMS: whoever
 * reads the process's memory, environment or key file has it. It is read once, now.
 *
 * @throws {KeyError} `ERR_ROOT_KEY_INVALID` naming the variable or the file, never what is in it.
 * @throws {TypeError} if not exactly one source is given.
 */
export function localRootKey(source: LocalRootKeySource): RootKey {
  const given: { env?: unknown; file?: unknown; key?: unknown } = source
  const { env, file, key } = given
  const isOne = [env, file, key].filter((value) => value !== undefined).length === 1
  if (isOne && typeof env === 'string') return new LocalRootKey(fromEnv(env), `variable ${env}`)
  if (isOne && typeof file === 'string') return new LocalRootKey(fromFile(file), `file ${file}`)
  if (isOne && (key instanceof Uint8Array || key instanceof KeyObject)) {
    return new LocalRootKey(fromKey(key), 'the key given in code')
  }
  throw new TypeError('localRootKey takes one of { env: name }, { file: path }, { key: 32 bytes }')
}

class LocalRootKey implements RootKey {
  readonly provider = 'local'
  /** Tells root keys apart, and nothing about them. */
  readonly id: string
  readonly #key: KeyObject
  readonly #where: string

  constructor(key: KeyObject, where: string) {
    this.#key = key
    this.#where = where
    const digest = createHmac('sha256', key).update('rowseal/v1/local-id').digest()
    this.id = `local:${digest.toString('hex', 0, ID_BYTES)}`
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- others ask a KMS
  async create(context: WrapContext): Promise<WrappedKey & { key: Buffer }> {
    const key = randomBytes(KEY_BYTES)
    return { key, ...this.#wrap(key, context) }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- others ask a KMS
  async unwrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<Buffer> {
    const { keyId, keyring } = context
    if (rootKeyId !== this.id) {
      throw new KeyError(
        'ERR_KEY_MISMATCH',
        `Key ${keyId} of keyring "${keyring}" was made with root key ${rootKeyId}; the one given (${this.#where}) is ${this.id}.`,
        { fix: `Give root key ${rootKeyId}, or connect the key store that belongs to ${this.id}.` },
      )
    }
    const kek = unwrapped(this.#key, wrapped, aadOf(context))
    if (kek !== null) return kek
    throw new KeyError(
      'ERR_KEY_MISMATCH',
      `The wrapped KEK of key ${keyId}, keyring "${keyring}", was altered or belongs to another key.`,
      { fix: 'Restore the key store from a backup.' },
    )
  }

  async rewrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<WrappedKey> {
    const key = await this.unwrap(wrapped, rootKeyId, context)
    try {
      return this.#wrap(key, context)
    } finally {
      key.fill(0)
    }
  }

  describe(rootKeyId = this.id): Promise<RootKeyInfo> {
    const state = rootKeyId === this.id ? 'enabled' : 'unavailable'
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
    return { provider: this.provider, id: this.id }
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

function fromEnv(name: string): KeyObject {
  const text = process.env[name]
  if (text === undefined || text.trim() === '') {
    throw invalid(`The root key variable ${name} is not set.`, `${MAKE_ONE} and set ${name}.`)
  }
  return fromText(text, `The root key variable ${name}`)
}

function fromKey(key: KeyObject | Uint8Array): KeyObject {
  if (key instanceof Uint8Array) return checked(Buffer.from(key), 'The root key given in code')
  if (key.type === 'secret') return checked(key.export(), 'The root key given in code')
  throw invalid('The root key given in code is not a secret key.', `${MAKE_ONE}.`)
}

/** What is checked is the open file, so it cannot be another one when it is read. */
function fromFile(path: string): KeyObject {
  const fd = openRegular(path)
  const bytes = Buffer.alloc(MAX_FILE_BYTES + 1)
  try {
    assertPrivate(fd, path)
    const length = readSync(fd, bytes)
    if (length > MAX_FILE_BYTES)
      throw invalid(`The root key file ${path} is too long.`, `${MAKE_ONE}.`)
    return fromText(bytes.toString('latin1', 0, length), `The root key file ${path}`)
  } finally {
    bytes.fill(0)
    closeSync(fd)
  }
}

/** O_NONBLOCK, because opening a FIFO would wait for its writer. */
function openRegular(path: string): number {
  try {
    assertLinkIsOurs(path)
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (error instanceof KeyError) throw error
    const { code = 'an error' } = error as NodeJS.ErrnoException
    throw invalid(
      `The root key file ${path} could not be opened (${code}).`,
      code === 'ENOENT'
        ? `${MAKE_ONE} > ${path} and set its mode to 0600.`
        : 'Check its path and owner.',
    )
  }
}

/** A link is followed, as secrets are often mounted that way, but not one that a stranger made. */
function assertLinkIsOurs(path: string): void {
  const link = lstatSync(path)
  if (!link.isSymbolicLink() || isOurs(link.uid)) return
  throw invalid(
    `The root key file ${path} is a symbolic link made by another user.`,
    'Give the path of the file itself.',
  )
}

function assertPrivate(fd: number, path: string): void {
  const stat = fstatSync(fd)
  if (!stat.isFile()) throw invalid(`The root key file ${path} is no regular file.`, 'Give a file.')
  if (process.platform === 'win32') return // modes there are made up by Node; access lists decide
  if (!isOurs(stat.uid)) {
    throw invalid(
      `The root key file ${path} belongs to another user, who can read it.`,
      `Run \`chown\` on ${path}, so that it belongs to the user this process runs as.`,
    )
  }
  if ((stat.mode & 0o077) === 0) return
  throw invalid(
    `The root key file ${path} has mode 0${(stat.mode & 0o777).toString(8)}: others than its owner can use it.`,
    `Run \`chmod 600 ${path}\`, and take a new root key if others may have read this one.`,
  )
}

function isOurs(uid: number): boolean {
  return uid === 0 || process.geteuid === undefined || uid === process.geteuid()
}

function fromText(text: string, what: string): KeyObject {
  const bytes = decode(text.trim())
  if (bytes !== null) return checked(bytes, what)
  throw invalid(
    `${what} does not hold 32 bytes in base64, base64url or 64 hex digits.`,
    `${MAKE_ONE}.`,
  )
}

/** Canonical text only: a slip of the pen must not quietly become another key. */
function decode(text: string): Buffer | null {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex')
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/')
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(base64) || /[-_].*[+/]|[+/].*[-_]/.test(text)) return null
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === `${base64.slice(0, 43)}=` ? bytes : null
}

/** Zeroes `bytes`. */
function checked(bytes: Buffer, what: string): KeyObject {
  try {
    if (bytes.length !== KEY_BYTES) {
      throw invalid(`${what} has ${bytes.length} bytes instead of ${KEY_BYTES}.`, `${MAKE_ONE}.`)
    }
    if (bytes.every((byte) => byte === bytes[0])) {
      throw invalid(`${what} is one byte repeated, a placeholder.`, `${MAKE_ONE}.`)
    }
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

function invalid(message: string, fix: string): KeyError {
  return new KeyError('ERR_ROOT_KEY_INVALID', message, { fix })
}
