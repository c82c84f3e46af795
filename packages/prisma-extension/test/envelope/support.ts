import { createDecipheriv, createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  decode,
  openEnvelope,
  parseBytes,
  parseJson,
  parseText,
  valueAad,
} from '../../src/envelope/index.ts'
import type { BoundType, CodecType, Envelope, Suite } from '../../src/envelope/index.ts'

export const ROOT = new URL('../../../../', import.meta.url)

/** Bytes in hex, or text; too long to write out: head and count times repeat. */
export type Long = string | { head: string; repeat: string; count: number }

export interface VectorKey {
  keyId: number
  keyring: string
  suite: Suite
  kek?: string
}

export interface AcceptCase {
  name: string
  keyId: number
  keyring: string
  suite: Suite
  kek?: string
  dek: string
  dekNonce?: string
  blob?: string
  nonce: string
  id: string
  bound: string[]
  type: CodecType
  pad: number
  value: string
  dekAad: string
  aad: string
  plaintext: string
  text: string
  bytes: string
}

export interface ForeignCase {
  name: string
  text?: string
  bytes?: string
}

export interface BoundCase {
  name: string
  type: BoundType
  value: unknown
  text: string | null
}

export interface RejectCase {
  name: string
  rule: string
  step: Step
  text?: Long
  bytes?: Long
  plaintext?: Long
  keyring?: string
  id?: string
  bound?: string[]
  type?: CodecType
  dek?: string
}

export interface Vectors {
  keys: VectorKey[]
  accept: AcceptCase[]
  foreign: ForeignCase[]
  bound: BoundCase[]
  reject: RejectCase[]
}

export const vectors = JSON.parse(
  readFileSync(new URL('vectors/envelope-v1.json', ROOT), 'utf8'),
) as Vectors

/** The key store of the vectors. */
export const keyOf = (keyId: number): VectorKey | undefined =>
  vectors.keys.find((key) => key.keyId === keyId)

export const spec = readFileSync(new URL('docs/spec/envelope-v1.md', ROOT), 'utf8')

export const bin = (hex: string): Buffer => Buffer.from(hex, 'hex')

export const long = (part: Long): string =>
  typeof part === 'string' ? part : part.head + part.repeat.repeat(part.count)

export type Step = 'parse' | 'key' | 'unwrap' | 'open' | 'decode'

/** A reader that stopped: at which step, and why. */
export class Stopped extends Error {
  readonly step: Step
  constructor(step: Step, cause: unknown) {
    super(`stopped at ${step}`, { cause })
    this.step = step
  }
}

function step<T>(name: Step, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new Stopped(name, error)
  }
}

/** What a reader knows of the field and the row at hand. `dek` is what a KMS would return. */
export interface Site {
  keyring: string
  id: string
  bound: readonly Uint8Array[]
  type: CodecType
  dek?: Uint8Array
}

/** The DEK wrap of suite 0x01 by node:crypto alone: in Rowseal it is the business of `keys/`. */
export function unwrap(kek: Uint8Array, envelope: Envelope): Buffer {
  const { wrapped, keyId } = envelope
  const aad = Buffer.from('rowseal/v1/dek\x01\0\0\0\0', 'latin1')
  aad.writeUInt32BE(keyId, 15)
  const decipher = createDecipheriv('aes-256-gcm', kek, wrapped.subarray(0, 12))
  decipher.setAAD(aad).setAuthTag(wrapped.subarray(44))
  return Buffer.concat([decipher.update(wrapped.subarray(12, 44)), decipher.final()])
}

/**
 * The five steps of the specification. `null`: not an envelope.
 *
 * @throws {Stopped} at the step that rejects
 */
export function read(
  stored: string | Uint8Array,
  site: Site,
  keyOf: (keyId: number) => VectorKey | undefined,
): string | Uint8Array | null {
  const envelope = step('parse', () =>
    typeof stored === 'string' ? parseText(stored) : parseBytes(stored),
  )
  if (envelope === null) return null
  const key = step('key', () => {
    const found = keyOf(envelope.keyId)
    if (found?.keyring !== site.keyring || found.suite !== envelope.suite) throw new Error('key')
    return found
  })
  const dek = step('unwrap', (): KeyObject => {
    const raw = key.kek === undefined ? site.dek : unwrap(bin(key.kek), envelope)
    if (raw?.length !== 32) throw new Error('length')
    return createSecretKey(raw)
  })
  const aad = valueAad(envelope.suite, site.id, site.bound)
  const plaintext = step('open', () => openEnvelope(envelope, dek, aad))
  return step('decode', () => decodeChecked(site.type, plaintext))
}

export function decodeChecked(type: CodecType, plaintext: Uint8Array): string | Uint8Array {
  const value = decode(type, plaintext)
  if (type === 'Json') parseJson(value as string)
  return value
}
