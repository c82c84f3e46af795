import type { KeyObject } from 'node:crypto'
import type { Dek } from '@rowseal/prisma-extension/keys'
import {
  openEnvelope,
  parseBytes,
  parseText,
  sealBytes,
  sealText,
  valueAad,
  type Envelope,
} from '@rowseal/prisma-extension/envelope'
import {
  createDeks,
  NoncePool,
  refused,
  unwrapDek,
  type Kek,
} from '@rowseal/prisma-extension/keys/dek-wrap'
import { codeOf } from '../engine/value-code.ts'

/**
 * Values to open and to seal again, and the keys for it. All of it can be posted to another thread; lists of
 * plain things take a fraction of what one object for each value would.
 */
export interface ReencryptJob {
  /** By key id: those of the values. */
  readonly opening: ReadonlyMap<number, Kek>
  readonly sealing: Kek
  /** Names of fields in additional data. */
  readonly ids: readonly string[]
  /** Envelopes of suite 0x01; those of a record side by side. */
  readonly values: readonly (string | Uint8Array)[]
  /** For each value: a number of its record. */
  readonly records: readonly number[]
  /** For each value: the place of its field in `ids`. */
  readonly fields: readonly number[]
  /** For each value, what it is bound to; null if no value is bound. */
  readonly bound: readonly (readonly string[] | null)[] | null
}

export interface ReencryptDone {
  /** What each value becomes; null if it does not open. */
  readonly values: readonly (string | Uint8Array<ArrayBuffer> | null)[]
  /** Why not, by place. */
  readonly codes: ReadonlyMap<number, string>
}

const SUITE = 0x01
const nonces = new NoncePool()

/** Open each value and seal the same plaintext bytes again, under one fresh DEK for each record. */
export function reencryptValues(job: ReencryptJob): ReencryptDone {
  const { opening, sealing, ids, records, fields, bound } = job
  const aads = ids.map((id) => valueAad(SUITE, id))
  const unwrap = unwrapper(opening)
  const codes = new Map<number, string>()
  const deks = createDeks(sealing, new Set(records).size, nonces)
  let dek = -1
  const values = job.values.map((value, i) => {
    if (records[i] !== records[i - 1]) dek++
    const field = fields[i]!
    const binding = bound?.[i] ?? null
    try {
      const aad =
        binding === null ? aads[field]! : valueAad(SUITE, ids[field]!, binding.map(bytesOf))
      return reencrypted(value, unwrap, deks[dek]!, aad)
    } catch (error) {
      codes.set(i, codeOf(error))
      return null
    }
  })
  return { values, codes }
}

function reencrypted(
  value: string | Uint8Array,
  unwrap: (envelope: Envelope) => KeyObject,
  dek: Dek,
  aad: Uint8Array,
): string | Uint8Array<ArrayBuffer> {
  const envelope = typeof value === 'string' ? parseText(value) : parseBytes(value)
  if (envelope === null) throw refused()
  const plaintext = openEnvelope(envelope, unwrap(envelope), aad)
  try {
    if (typeof value === 'string') return sealText(dek, aad, plaintext)
    // Bytes of a pool would take the whole of it with them to another thread.
    return new Uint8Array(sealBytes(dek, aad, plaintext))
  } finally {
    plaintext.fill(0)
  }
}

/** The values of a record have one DEK, which is unwrapped once. */
function unwrapper(keks: ReencryptJob['opening']): (envelope: Envelope) => KeyObject {
  let last: { keyId: number; wrapped: Uint8Array; key: KeyObject } | null = null
  return ({ keyId, suite, wrapped }) => {
    if (last?.keyId === keyId && Buffer.compare(last.wrapped, wrapped) === 0) return last.key
    const kek = keks.get(keyId)
    if (kek === undefined || suite !== SUITE) throw refused()
    const key = unwrapDek(kek, wrapped)
    last = { keyId, wrapped, key }
    return key
  }
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}
