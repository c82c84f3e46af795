import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { KeyError } from '../../errors.ts'
import { dekAad, KEY_BYTES, type Kek } from './dek-wrap.ts'
import type { WrapContext, KeyRow, RootKey } from '../types.ts'

// Check value of a KEK: HMAC-SHA-256 under the KEK of "rowseal/v1/check" ‖ key id (uint32) ‖ keyring (UTF-8).

const CHECK_LABEL = Buffer.from('rowseal/v1/check')

/** What is stored of a new KEK. */
export interface NewKek {
  readonly rootKeyId: string
  readonly wrappedKek: Uint8Array
  readonly checkValue: Uint8Array
}

/** Let the root key make and wrap a KEK. Nothing of it stays in memory. */
export async function createKek(root: RootKey, context: WrapContext): Promise<NewKek> {
  const { key: kek, wrapped, rootKeyId } = await fromRoot(root, () => root.create(context))
  try {
    assertLength(kek, context)
    const checkValue = checkValueOf(createSecretKey(kek), context)
    return { rootKeyId, wrappedKek: wrapped, checkValue }
  } finally {
    kek.fill(0)
  }
}

/**
 * Unwrap the KEK of a key row and compare its check value, so that no row can hold another's KEK.
 *
 * @throws {KeyError} `ERR_KEY_MISMATCH`, `ERR_KEY_UNAVAILABLE` (retryable), or what the root key throws.
 */
export async function openKek(root: RootKey, row: KeyRow): Promise<Kek> {
  const context: WrapContext = { keyring: row.keyring, keyId: row.keyId, use: 'kek' }
  const bytes = await fromRoot(root, () => root.unwrap(row.wrappedKek, row.rootKeyId, context))
  try {
    assertLength(bytes, context)
    const key = createSecretKey(bytes)
    const expected = checkValueOf(key, context)
    const isSame =
      expected.length === row.checkValue.length && timingSafeEqual(expected, row.checkValue)
    if (!isSame) throw mismatch(context, 'does not fit its check value')
    return { keyId: row.keyId, key, aad: dekAad(row.keyId) }
  } finally {
    bytes.fill(0)
  }
}

function checkValueOf(kek: KeyObject, { keyring, keyId }: WrapContext): Buffer {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(keyId)
  return createHmac('sha256', kek).update(CHECK_LABEL).update(number).update(keyring).digest()
}

function assertLength(kek: Uint8Array, context: WrapContext): void {
  if (kek.length !== KEY_BYTES) throw mismatch(context, `has ${kek.length} bytes`)
}

function mismatch({ keyring, keyId }: WrapContext, what: string): KeyError {
  return new KeyError(
    'ERR_KEY_MISMATCH',
    `The KEK of key ${keyId}, keyring "${keyring}", ${what}.`,
    {
      fix: 'The key store was edited, or this is another root key: give the right one, or restore the key store.',
    },
  )
}

/** What a root key answers; whatever it throws becomes a `KeyError`. */
export async function fromRoot<T>(root: RootKey, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw error instanceof KeyError ? error : unanswered(root.provider, error)
  }
}

/**
 * The outage that stands for whatever is no answer of a root key.
 *
 * @param when - what more is known of it, as the end of a sentence.
 */
export function unanswered(provider: string, cause: unknown, when = ''): KeyError {
  return new KeyError('ERR_KEY_UNAVAILABLE', `The root key (${provider}) gave no answer${when}.`, {
    fix: cause === undefined ? 'Try again.' : 'See the cause, and try again.',
    retryable: true,
    cause,
  })
}
