import { decode, encode, parseBytes, parseJson, parseText } from '../envelope/index.ts'
import { QueryError } from '../errors.ts'
import type { FieldPlan } from './compile.ts'
import { jsonText, NotJson } from './json.ts'
import { nullKind } from './special.ts'

/** Does this value, given for a sealed field, leave the column NULL? */
export function isNullValue(field: FieldPlan, value: unknown): boolean {
  // In a Json field, JS null is JSON null: a value.
  return field.spec.type === 'Json' ? nullKind(value) === 'DbNull' : value === null
}

/**
 * The plaintext bytes of one value (an element, for a list), codec tag included.
 *
 * @throws {QueryError} `ERR_VALUE_INVALID` if it is not of the field's type.
 */
export function toPlaintext(field: FieldPlan, value: unknown): Buffer {
  const { type, pad } = field.spec
  if (type === 'Json') return encode('Json', jsonOf(field, value), pad, field.label)
  if (type === 'String' && typeof value === 'string')
    return encode('String', value, pad, field.label)
  if (type === 'Bytes') {
    const bytes = bytesOf(value)
    if (bytes !== null) return encode('Bytes', bytes, pad, field.label)
  }
  throw invalid(field, `takes ${type === 'String' ? 'a string' : 'bytes (Uint8Array)'}.`)
}

/** The value as Prisma would have handed it out. */
export function fromPlaintext(field: FieldPlan, plaintext: Uint8Array): unknown {
  const value = decode(field.spec.type, plaintext, field.label)
  return field.spec.type === 'Json' ? parseJson(value as string, field.label) : value
}

/**
 * With `seal: off` values are stored as they are, and one that starts like an envelope would be opened
 * when it is read.
 *
 * @throws {QueryError} `ERR_VALUE_INVALID`
 */
export function refuseEnvelope(field: FieldPlan, plaintext: Uint8Array): void {
  if (startsLikeEnvelope(fromPlaintext(field, plaintext))) {
    throw invalid(field, 'cannot store, unsealed, a value that starts like a sealed one.')
  }
}

function startsLikeEnvelope(value: unknown): boolean {
  try {
    if (typeof value === 'string') return parseText(value) !== null
    return value instanceof Uint8Array && parseBytes(value) !== null
  } catch {
    return true
  }
}

/** An error about the value given for a field, which it does not quote. */
export function invalid(field: FieldPlan, problem: string): QueryError {
  return new QueryError('ERR_VALUE_INVALID', `${field.label} ${problem}`, {
    field: field.label,
    fix: `Give ${field.label} what its type in the schema says.`,
  })
}

function jsonOf(field: FieldPlan, value: unknown): string {
  const special = nullKind(value)
  if (special === 'JsonNull') return 'null'
  if (special !== null) throw invalid(field, `cannot store Prisma.${special}.`)
  try {
    return jsonText(value)
  } catch (error) {
    // The stack is full, or the text is longer than a string can be.
    if (error instanceof RangeError) {
      throw invalid(field, 'is Json that refers to itself, is nested too deeply, or is too large.')
    }
    if (!(error instanceof NotJson)) throw error
    throw invalid(field, `is Json and was given ${error.message}, which Json cannot hold.`)
  }
}

/** Prisma takes typed arrays and, at run time, base64 text. */
function bytesOf(value: unknown): Uint8Array | null {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  }
  if (typeof value !== 'string') return null
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? bytes : null
}
