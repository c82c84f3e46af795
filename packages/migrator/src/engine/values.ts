/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.
import { EnvelopeError, QueryError } from '@rowseal/prisma-extension'
import {
  openEnvelope,
  parseBytes,
  parseText,
  type Envelope,
} from '@rowseal/prisma-extension/envelope'
import {
  isList,
  RawJson,
  type ColumnScalar,
  type ColumnValue,
  type PageRow,
} from '@rowseal/prisma-extension/sql'
import { groupBy } from '../group-by.ts'
import type { TargetField } from '../targets.ts'
import type { BadValue } from './strategy.ts'
import { codeOf } from './value-code.ts'

/** Where a stored value stands (an element, for a list). */
export interface Place {
  readonly row: number
  readonly field: number
  readonly element: number
}

/** One stored value, and where it stands. */
export interface Site extends Place {
  readonly envelope: Envelope
  /** What the row's values are bound to. */
  readonly bound: PageRow['bound']
}

/** A value that does not open. */
export interface BadSite {
  readonly row: number
  readonly field: number
  readonly code: string
}

/** Bad values by the names of their fields. */
export function named(fields: readonly TargetField[], bad: readonly BadSite[]): BadValue[] {
  return bad.map(({ row, field, code }) => ({ row, field: fields[field]!.name, code }))
}

/**
 * See each stored value of a page that is not null, by places of its row, its field and its element.
 *
 * @param visit - an EnvelopeError that it throws counts as the value's.
 * @returns those of which it threw one.
 */
export function visitValues(
  fields: readonly TargetField[],
  rows: readonly PageRow[],
  visit: (value: ColumnScalar, row: number, field: number, element: number) => void,
): BadSite[] {
  const bad: BadSite[] = []
  for (const [row, { values }] of rows.entries()) {
    for (const field of fields.keys()) {
      for (const [element, value] of elements(values[field] ?? null).entries()) {
        if (value === null) continue
        try {
          visit(value, row, field, element)
        } catch (error) {
          bad.push({ row, field, code: codeOf(error) })
        }
      }
    }
  }
  return bad
}

export interface Collected {
  readonly sites: readonly Site[]
  readonly bad: readonly BadSite[]
}

/** Find the envelopes in a page. `visitPlain` sees what is none, and is not null. */
export function collect(
  fields: readonly TargetField[],
  rows: readonly PageRow[],
  isWanted: (envelope: Envelope, field: TargetField, row: number) => boolean,
  visitPlain?: (row: number, field: number) => void,
): Collected {
  const sites: Site[] = []
  const bad = visitValues(fields, rows, (value, row, field, element) => {
    const envelope = parse(value)
    if (envelope === null) {
      if (visitPlain === undefined) return
      if (typeof value === 'string') assertText(fields[field]!, value)
      visitPlain(row, field)
    } else if (isWanted(envelope, fields[field]!, row))
      sites.push({ row, field, element, envelope, bound: rows[row]!.bound })
  })
  return { sites, bad }
}

/**
 * Open the values at some sites.
 *
 * @param use - gets the plaintext bytes, which are zeroed after. An EnvelopeError it throws counts as
 *   the value's.
 * @throws {KeyError} what concerns all of them, such as `ERR_KEY_UNAVAILABLE`.
 */
export async function open(
  fields: readonly TargetField[],
  sites: readonly Site[],
  use: (site: Site, plaintext: Buffer) => void,
): Promise<BadSite[]> {
  const bad: BadSite[] = []
  for (const [keyring, mine] of groupBy(sites, ({ field }) => fields[field]!.values)) {
    const keys = await keyring.forProcessEach(
      mine.map((site) => site.envelope),
      undefined,
      false,
    )
    for (const [i, site] of mine.entries()) {
      const key = keys[i]!
      const field = fields[site.field]!
      try {
        if (key instanceof Error) throw key
        const aad = field.aad(site.envelope.suite, site.bound)
        const plaintext = openEnvelope(site.envelope, key, aad)
        try {
          use(site, plaintext)
        } finally {
          plaintext.fill(0)
        }
      } catch (error) {
        bad.push({ row: site.row, field: site.field, code: codeOf(error) })
      }
    }
  }
  return bad
}

export function elements(value: ColumnValue | null): readonly (ColumnScalar | null)[] {
  return value !== null && isList(value) ? value : [value]
}

/** @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` for what begins like an envelope and is none. */
export function parse(value: ColumnScalar): Envelope | null {
  if (typeof value === 'string') return parseText(value)
  if (!(value instanceof RawJson)) return parseBytes(value)
  if (!value.text.startsWith('"rs1.')) return null
  throw new EnvelopeError('ERR_ENVELOPE_MALFORMED', 'An envelope is spelt in another way.', {
    fix: 'Write the value again.',
  })
}

/** SQLite may hold what is none: see `fromDatabase`. */
function assertText({ label }: TargetField, text: string): void {
  if (text.isWellFormed()) return
  throw new QueryError('ERR_VALUE_INVALID', `A value of ${label} is no text.`, {
    field: label,
    fix: 'Write the value again.',
  })
}
