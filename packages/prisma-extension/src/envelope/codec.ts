/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.
import { isAscii } from 'node:buffer'
import { types } from 'node:util'
import { QueryError } from '../errors.ts'
import { CODEC_BYTES, MAX_VALUE_BYTES, PAD_LENGTH_BYTES } from './layout.ts'
import { malformed } from './rules.ts'

/**
 * Plaintext of an envelope: what kind of value it holds, and the value.
 *
 *   tag              ‖ value
 *   tag with PADDED  ‖ length of the value (uint32) ‖ value ‖ zeros
 */
export const CODEC_TAGS = { String: 0x01, Json: 0x02, Bytes: 0x03 } as const
const PADDED = 0x80

/** Prisma types that can be sealed. `Json` travels as JSON text. */
export type CodecType = keyof typeof CODEC_TAGS

const KNOWN_TAGS: ReadonlySet<number> = new Set(Object.values(CODEC_TAGS))

/** Refuses what is not UTF-8, keeps a byte order mark. Never used for streaming, so without state. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Encode a value as the plaintext of an envelope.
 *
 * @param type - type of the field.
 * @param value - text for `String` and `Json` (JSON text: its validity is the caller's), else bytes.
 * @param pad - multiple of bytes that value and zeros come to, so that lengths show less; 0 for none.
 * @param field - `Model.field`, for the error.
 * @throws {QueryError} `ERR_VALUE_INVALID` if the value is of another type, larger than 16 MiB with
 *   its padding, or text with a lone surrogate, which UTF-8 cannot carry.
 * @throws {TypeError} if `pad` is not an integer from 0 to 16 MiB.
 * @see docs/spec/envelope-v1.md#plaintext
 */
export function encode(
  type: CodecType,
  value: string | Uint8Array,
  pad: number,
  field?: string,
): Buffer {
  const size = byteLength(type, value, field)
  const padded = paddedBytes(size, pad)
  if (padded > MAX_VALUE_BYTES)
    throw invalid('is larger than 16 MiB', 'Store a smaller value, or the parts of it.', field)
  const tag = CODEC_TAGS[type]
  if (pad === 0) {
    const out = Buffer.allocUnsafe(CODEC_BYTES + size)
    out[0] = tag
    write(out, value, size, CODEC_BYTES)
    return out
  }
  const out = Buffer.alloc(CODEC_BYTES + PAD_LENGTH_BYTES + padded)
  out[0] = tag | PADDED
  write(out, value, size, out.writeUInt32BE(size, CODEC_BYTES))
  return out
}

/**
 * Bytes that value and padding take: the least multiple of `pad` that holds the value, and never 0,
 * so that nothing looks like something short.
 *
 * @throws {TypeError} if `pad` is not an integer from 0 to 16 MiB.
 */
export function paddedBytes(valueBytes: number, pad: number): number {
  if (!Number.isInteger(pad) || pad < 0 || pad > MAX_VALUE_BYTES)
    throw new TypeError('A value is padded to a multiple of 0 (not at all) to 16777216 bytes.')
  return pad === 0 ? valueBytes : pad * Math.max(1, Math.ceil(valueBytes / pad))
}

function byteLength(type: CodecType, value: string | Uint8Array, field?: string): number {
  if (type === 'Bytes') {
    if (types.isUint8Array(value)) return value.length
    throw invalid('must be bytes', 'Pass a Uint8Array.', field)
  }
  if (typeof value !== 'string') throw invalid('must be text', 'Pass a string.', field)
  const size = Buffer.byteLength(value)
  if (size !== value.length && !value.isWellFormed())
    throw invalid('holds a lone surrogate', 'Pass well-formed text (see toWellFormed).', field)
  return size
}

function write(out: Buffer, value: string | Uint8Array, size: number, at: number): void {
  if (typeof value !== 'string') out.set(value, at)
  else out.write(value, at, size === value.length ? 'latin1' : 'utf8')
}

function invalid(what: string, fix: string, field: string | undefined): QueryError {
  return new QueryError(
    'ERR_VALUE_INVALID',
    `The value for ${field ?? 'a sealed field'} ${what}.`,
    {
      ...(field === undefined ? undefined : { field }),
      fix,
    },
  )
}

/**
 * Decode an opened plaintext. Json comes as JSON text: hand it to `parseJson`.
 *
 * @param type - type of the field, which must be the one the value was sealed with.
 * @param plaintext - from `openEnvelope`.
 * @param field - `Model.field`, for the error.
 * @returns text, or for `Bytes` a Uint8Array with memory of its own.
 * @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` if the plaintext breaks a rule of the format.
 * @see docs/spec/envelope-v1.md#plaintext
 */
export function decode(type: 'String' | 'Json', plaintext: Uint8Array, field?: string): string
export function decode(type: 'Bytes', plaintext: Uint8Array, field?: string): Uint8Array
export function decode(type: CodecType, plaintext: Uint8Array, field?: string): string | Uint8Array
export function decode(
  type: CodecType,
  plaintext: Uint8Array,
  field?: string,
): string | Uint8Array {
  const tag = plaintext[0]
  if (tag === undefined || !KNOWN_TAGS.has(tag & ~PADDED)) throw malformed('codec', field)
  if ((tag & ~PADDED) !== CODEC_TAGS[type]) throw malformed('codec-type', field)
  const padded = (tag & PADDED) !== 0
  const from = padded ? CODEC_BYTES + PAD_LENGTH_BYTES : CODEC_BYTES
  if (plaintext.length - from > MAX_VALUE_BYTES) throw malformed('size', field)
  const to = padded ? endOfValue(plaintext, from, field) : plaintext.length
  if (type === 'Bytes') return new Uint8Array(plaintext.subarray(from, to))
  return decodeText(plaintext, from, to, field)
}

/** Where the value ends that a padded plaintext holds. */
function endOfValue(plaintext: Uint8Array, from: number, field: string | undefined): number {
  if (plaintext.length <= from) throw malformed('pad-length', field)
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, plaintext.length)
  const to = from + view.getUint32(CODEC_BYTES)
  if (to > plaintext.length) throw malformed('pad-length', field)
  for (let at = to; at < plaintext.length; at++)
    if (plaintext[at] !== 0) throw malformed('pad-zeros', field)
  return to
}

function decodeText(
  plaintext: Uint8Array,
  from: number,
  to: number,
  field: string | undefined,
): string {
  // A tag without padding is ASCII itself: looking at it, too, costs less than a view without it.
  const isWhole = from === CODEC_BYTES && to === plaintext.length
  const value = isWhole ? plaintext : plaintext.subarray(from, to)
  const skipped = isWhole ? CODEC_BYTES : 0
  if (isAscii(value)) return asBuffer(value).toString('latin1', skipped)
  try {
    return utf8.decode(value.subarray(skipped))
  } catch {
    throw malformed('utf-8', field)
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * Parse the JSON text that `decode` gave for `Json`. The parser's own error would quote the text.
 *
 * @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` if it is not JSON.
 */
export function parseJson(text: string, field?: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw malformed('json', field)
  }
}
