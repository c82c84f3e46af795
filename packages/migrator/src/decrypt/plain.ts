/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.
import { EnvelopeError, QueryError } from '@rowseal/prisma-extension'
import { decode, parseBytes, parseJson, parseText } from '@rowseal/prisma-extension/envelope'
import type { Provider } from '@rowseal/prisma-extension/plan'
import { fromJsonText, type ColumnScalar } from '@rowseal/prisma-extension/sql'
import type { TargetField } from '../targets.ts'

/** In JSON text as `JSON.stringify` writes it. PostgreSQL keeps `json` as it comes, and SQLite all JSON. */
const HALF_CHARACTER = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/
const ZERO_OR_HALF = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/

/**
 * What the column of a field holds for an opened value once it is not sealed, as Prisma writes it.
 *
 * @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` if the plaintext breaks a rule of the format.
 * @throws {QueryError} `ERR_VALUE_INVALID` if the database would not give the value back: it begins like an
 *   envelope, or holds a character that only sealed text can hold there.
 */
export function plainValue(
  provider: Provider,
  { spec, label, column }: TargetField,
  plaintext: Uint8Array,
): ColumnScalar {
  const decoded = decode(spec.type, plaintext, label)
  if (decoded instanceof Uint8Array) {
    if (startsLikeEnvelope(() => parseBytes(decoded))) throw invalid(label, LIKE_ENVELOPE)
    return decoded
  }
  if (spec.type === 'String') {
    if (startsLikeEnvelope(() => parseText(decoded))) throw invalid(label, LIKE_ENVELOPE)
    if (provider !== 'mysql' && decoded.includes('\u0000')) throw invalid(label, CHARACTER)
    return decoded
  }
  const value = parseJson(decoded, label)
  if (typeof value === 'string' && startsLikeEnvelope(() => parseText(value)))
    throw invalid(label, LIKE_ENVELOPE)
  const refused =
    column.kind === 'jsonb' ? ZERO_OR_HALF : provider === 'mysql' ? HALF_CHARACTER : null
  if (refused?.test(JSON.stringify(value)) === true) throw invalid(label, CHARACTER)
  return fromJsonText(decoded)
}

const LIKE_ENVELOPE = 'begins like an envelope, and would be taken for one'
const CHARACTER = 'holds a character that the database cannot hold unsealed'

function startsLikeEnvelope(parse: () => object | null): boolean {
  try {
    return parse() !== null
  } catch (error) {
    if (error instanceof EnvelopeError) return true
    throw error
  }
}

function invalid(field: string, what: string): QueryError {
  return new QueryError('ERR_VALUE_INVALID', `A value of ${field} ${what}.`, {
    field,
    fix: 'Store another value, or leave the field sealed.',
  })
}
