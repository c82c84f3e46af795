import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { LENGTHS } from './schema.ts'

/**
 * The cryptographic floor: what the cipher calls of an operation cost by themselves, with `KeyObject`s, AADs
 * and nonces made before. Three values of 12, 60 and 400 bytes and their codec tags, AES-256-GCM.
 */

const GCM = { authTagLength: 16 } as const
const AAD = Buffer.from('rowseal/v1/value of a model and a field')
const KEK = createSecretKey(randomBytes(32))
const PLAINTEXTS = Object.values(LENGTHS).map((length) => Buffer.alloc(length + 1, 'x'))
const NONCES = Array.from({ length: 64 }, () => randomBytes(12))

interface Cell {
  readonly nonce: Buffer
  readonly bytes: Buffer
  readonly tag: Buffer
}

function encrypted(key: KeyObject, nonce: Buffer, plaintext: Uint8Array): Cell {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, GCM)
  cipher.setAAD(AAD)
  const bytes = cipher.update(plaintext)
  cipher.final()
  return { nonce, bytes, tag: cipher.getAuthTag() }
}

function decrypted(key: KeyObject, { nonce, bytes, tag }: Cell): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, GCM)
  decipher.setAAD(AAD)
  decipher.setAuthTag(tag)
  const plaintext = decipher.update(bytes)
  decipher.final()
  return plaintext
}

const DEK_BYTES = randomBytes(32)
const DEK = createSecretKey(DEK_BYTES)
const WRAPPED = encrypted(KEK, NONCES[0]!, DEK_BYTES)
const CELLS = PLAINTEXTS.map((plaintext, i) => encrypted(DEK, NONCES[i + 1]!, plaintext))

/** Seal so many records: a DEK each, wrapped, and three values. */
export function sealRecords(count: number): void {
  const material = randomBytes(32 * count)
  for (let i = 0; i < count; i++) {
    const bytes = material.subarray(32 * i, 32 * (i + 1))
    const dek = createSecretKey(bytes)
    encrypted(KEK, NONCES[i % 64]!, bytes)
    for (const [at, plaintext] of PLAINTEXTS.entries()) encrypted(dek, NONCES[at]!, plaintext)
  }
}

/** Open so many records whose DEKs are at hand. */
export function openWarm(count: number): void {
  for (let i = 0; i < count; i++) for (const cell of CELLS) decrypted(DEK, cell)
}

/** Open so many records whose DEKs must be unwrapped first. */
export function openCold(count: number): void {
  for (let i = 0; i < count; i++) {
    const dek = createSecretKey(decrypted(KEK, WRAPPED))
    for (const cell of CELLS) decrypted(dek, cell)
  }
}

/** The HMAC of a value that is looked for. */
export function indexValue(): string {
  return createHmac('sha256', DEK).update(PLAINTEXTS[0]!).digest('hex')
}

/**
 * A client under a hook that makes the cipher calls of an operation and nothing else: what every extension costs
 * that has `node:crypto` do them. On tables of sealed values, since those are what goes over the wire.
 */
export function floorClient(base: any, work: () => void): any {
  return base.$extends(floorHook(work))
}

/** The hook of such a client. */
export function floorHook(work: () => void): object {
  const $allOperations = async ({ args, query, operation }: any): Promise<unknown> => {
    if (!String(operation).startsWith('find')) {
      work()
      return query(args)
    }
    const result: unknown = await query(args)
    work()
    return result
  }
  return { query: { $allModels: { $allOperations } } }
}
