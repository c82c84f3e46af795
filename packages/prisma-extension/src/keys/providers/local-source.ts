import { createSecretKey, KeyObject } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { KeyError } from '../../errors.ts'

const KEY_BYTES = 32
const MAX_FILE_BYTES = 1024
const OPENSSL = '`openssl rand -base64 32`'
const MAKE_ONE = `Make one with ${OPENSSL}`
/** Where there is a key store, another root key opens nothing. */
const NEW_ONE = `For a new key store make one with ${OPENSSL}`

/** Where the 32 bytes come from. In text they are base64, base64url or 64 hex digits. */
export type LocalRootKeySource =
  /** Name of an environment variable that holds the key as text. */
  | { readonly env: string }
  /** Path of a file that holds the key as text, which its owner alone can read (mode 0600 or 0400). */
  | { readonly file: string }
  /** The key itself, say from a secret manager. Bytes are copied; zero yours. */
  | { readonly key: KeyObject | Uint8Array }

/** A key that was read, and where it came from, for messages. */
export interface FoundKey {
  readonly key: KeyObject
  readonly where: string
}

/**
 * Read a key from its source, now.
 *
 * @throws {KeyError} `ERR_ROOT_KEY_INVALID` naming the variable or the file, never what is in it.
 * @throws {TypeError} if not exactly one source is given.
 */
export function readSource(source: LocalRootKeySource): FoundKey {
  const given: { env?: unknown; file?: unknown; key?: unknown } = source
  const { env, file, key } = given
  const isOne = [env, file, key].filter((value) => value !== undefined).length === 1
  if (isOne && typeof env === 'string') return { key: fromEnv(env), where: `variable ${env}` }
  if (isOne && typeof file === 'string') return { key: fromFile(file), where: `file ${file}` }
  if (isOne && (key instanceof Uint8Array || key instanceof KeyObject)) {
    return { key: fromKey(key), where: 'the key given in code' }
  }
  throw new TypeError('localRootKey takes one of { env: name }, { file: path }, { key: 32 bytes }')
}

function fromEnv(name: string): KeyObject {
  const text = process.env[name]
  if (text === undefined || text.trim() === '') {
    throw invalid(
      `The root key variable ${name} is not set.`,
      `Set ${name} to the root key of this key store. ${NEW_ONE}.`,
    )
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
        ? `Put the root key of this key store there, with mode 0600. ${NEW_ONE}.`
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
