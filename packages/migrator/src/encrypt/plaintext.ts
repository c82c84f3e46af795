import { EnvelopeError, QueryError } from '@rowseal/prisma-extension'
import { encode, parseBytes, parseText } from '@rowseal/prisma-extension/envelope'
import type { Provider } from '@rowseal/prisma-extension/plan'
import type { ColumnScalar } from '@rowseal/prisma-extension/sql'
import type { TargetField } from '../targets.ts'
import { plainJson } from './plain-json.ts'

/** What stands in a sealed column. */
export type Found =
  | { readonly kind: 'plaintext'; readonly bytes: Buffer; readonly text: string | null }
  | { readonly kind: 'sealed' }
  | { readonly kind: 'bad'; readonly code: string }

const SEALED: Found = { kind: 'sealed' }

/**
 * Tell an envelope from plaintext, and encode plaintext as the extension does when it writes the value. What
 * begins like an envelope and is none (`ERR_ENVELOPE_MALFORMED`) is not taken for plaintext.
 */
export function examine(provider: Provider, field: TargetField, value: ColumnScalar): Found {
  const { spec, label, column } = field
  try {
    if (value instanceof Uint8Array) {
      if (parseBytes(value) !== null) return SEALED
      return { kind: 'plaintext', bytes: encode('Bytes', value, spec.pad, label), text: null }
    }
    if (spec.type === 'Json') {
      const json = plainJson(provider, column, value)
      if (json === null) return SEALED
      return { kind: 'plaintext', bytes: encode('Json', json, spec.pad, label), text: null }
    }
    const text = value as string
    if (parseText(text) !== null) return SEALED
    return { kind: 'plaintext', bytes: encode('String', text, spec.pad, label), text }
  } catch (error) {
    return { kind: 'bad', code: codeOf(error) }
  }
}

/** @throws what is no fault of the value. */
function codeOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'ERR_VALUE_INVALID' // no JSON, as SQLite may hold it
  if (error instanceof EnvelopeError || error instanceof QueryError) return error.code
  throw error
}
