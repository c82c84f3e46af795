import { EnvelopeError } from '@rowseal/prisma-extension'
import { parseText } from '@rowseal/prisma-extension/envelope'
import type { Provider } from '@rowseal/prisma-extension/plan'
import { jsonText, type ColumnScalar, type SealedColumn } from '@rowseal/prisma-extension/sql'

/**
 * The JSON text to seal of what a Json column holds: as the extension would write it, except that numbers
 * keep every digit that the database has, and text that the database keeps stays as it is.
 *
 * @param stored - a string for a JSON string in its usual spelling, else `RawJson`.
 * @returns null for an envelope.
 * @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` for a JSON string that begins like one and is none.
 * @throws {SyntaxError} if it is no JSON.
 */
export function plainJson(
  provider: Provider,
  { kind, database }: SealedColumn,
  stored: ColumnScalar,
): string | null {
  const text = jsonText(stored)
  const value: unknown = typeof stored === 'string' ? stored : JSON.parse(text)
  if (typeof value === 'string' && parseText(value) !== null) {
    if (typeof stored === 'string') return null
    throw new EnvelopeError('ERR_ENVELOPE_MALFORMED', 'An envelope is spelt in another way.', {
      fix: 'Write the value again.',
    })
  }
  const isOwn = kind === 'jsonb' || (provider === 'mysql' && database.type === 'json')
  if (isOwn) return withoutSpaces(text)
  // SQLite keeps a number as one, and writes it with 17 digits.
  const isReal = provider === 'sqlite' && typeof value === 'number' && !/^-?\d+$/.test(text)
  return isReal ? JSON.stringify(value) : text
}

/** A JSON text without what stands between its parts. */
export function withoutSpaces(json: string): string {
  const parts: string[] = []
  for (let at = 0; at < json.length;) {
    const quote = json.indexOf('"', at)
    const end = quote === -1 ? json.length : quote
    parts.push(json.slice(at, end).replaceAll(/[ \t\n\r]+/g, ''))
    at = quote === -1 ? json.length : endOfString(json, quote)
    parts.push(json.slice(end, at))
  }
  return parts.join('')
}

/** The place after the string that begins at a quote. */
function endOfString(json: string, quote: number): number {
  for (let at = quote + 1; ; at++) {
    at = json.indexOf('"', at)
    let before = at
    while (json[before - 1] === '\\') before--
    if ((at - before) % 2 === 0) return at + 1
  }
}
