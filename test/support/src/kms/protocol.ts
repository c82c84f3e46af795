import type { EncryptionContext } from './ciphertext.ts'
import { KmsError, validation } from './errors.ts'
import type { Key, KmsWorld } from './world.ts'

/** What an operation gets to see. */
export interface Call {
  readonly world: KmsWorld
  readonly region: string
  readonly input: Readonly<Record<string, unknown>>
  /** Throws if the caller may not do this with that key. */
  readonly permit: (action: string, key: Key) => void
}

export type Operation = (call: Call) => object

export function text({ input }: Call, name: string): string {
  const value = input[name]
  if (typeof value === 'string' && value !== '') return value
  throw validation(`Value at '${name}' failed to satisfy constraint: Member must not be null`)
}

export function blob({ input }: Call, name: string): Buffer {
  const value = input[name]
  const bytes = Buffer.from(typeof value === 'string' ? value : '', 'base64')
  if (bytes.length >= 1 && bytes.length <= 6144) return bytes
  throw validation(`Value at '${name}' must have length between 1 and 6144`)
}

export function wholeNumber({ input }: Call, name: string, min: number, max: number): number {
  const value = input[name]
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return Number(value)
  throw validation(`Value at '${name}' must be between ${min} and ${max}`)
}

export function contextIn({ input }: Call, name = 'EncryptionContext'): EncryptionContext {
  return (input[name] ?? {}) as EncryptionContext
}

/** The key that the call names, whatever its state. */
export function named(call: Call, name: string, allowAlias: boolean): Key {
  const keyId = text(call, name)
  if (!allowAlias && /(^|:)alias\//.test(keyId))
    throw new KmsError('NotFoundException', `Invalid keyId '${keyId}'`)
  return call.world.find(call.region, keyId)
}

/** Refuses a key that is not fit for encryption now. */
export function usable(key: Key): Key {
  if (key.deletionAt !== null)
    throw new KmsError('KMSInvalidStateException', `${key.arn} is pending deletion.`)
  if (!key.isEnabled) throw new KmsError('DisabledException', `${key.arn} is disabled.`)
  if (key.shared.usage !== 'ENCRYPT_DECRYPT')
    throw new KmsError('InvalidKeyUsageException', `${key.arn} key usage is SIGN_VERIFY.`)
  return key
}

export const seconds = (at: Date): number => at.getTime() / 1000
