import { openEnvelope, parseBytes, parseText } from '../envelope/index.ts'
import { EnvelopeError } from '../errors.ts'
import type { BoundArgument, IndexName, PlanSource, SealedName } from '../plan/index.ts'
import {
  boundIn,
  fromPlaintext,
  indexEntries,
  IndexViews,
  lookupOf,
  sealValue,
  toPlaintext,
  type CompiledPlan,
  type FieldPlan,
  type IndexPlan,
  type ModelPlan,
} from '../query/index.ts'

/**
 * Sealing and opening outside of queries, for raw SQL. Best before and after an interactive transaction: the
 * key store may have to be read, and waits for that transaction's connection.
 */
export interface RawAccess<S extends PlanSource = PlanSource> {
  /**
   * The stored form of a value of a sealed field (of one element, for a list).
   *
   * @param bound - for a field with `bind`: the record's values of those columns.
   * @returns text for String and Json fields, bytes for Bytes.
   * @throws {QueryError} `ERR_VALUE_INVALID`
   */
  seal<N extends SealedName<S>>(
    field: N,
    value: unknown,
    ...bound: BoundArgument<S, N>
  ): Promise<string | Uint8Array>
  /**
   * The value in a stored form, as raw SQL returned it: of Json the text too, quotes and all. NULL stays null.
   *
   * @param bound - for a field with `bind`: the record's values of those columns.
   * @throws {EnvelopeError} `ERR_ENVELOPE_AUTH`, `ERR_ENVELOPE_MALFORMED`, `ERR_PLAINTEXT_REFUSED`
   */
  open<N extends SealedName<S>>(
    field: N,
    stored: string | Uint8Array | null,
    ...bound: BoundArgument<S, N>
  ): Promise<unknown>
  /**
   * How to look a text up by a blind index now: `WHERE column IN (values)`. Ask anew for each query: a
   * rotation of index keys changes both.
   *
   * @throws {QueryError} `ERR_QUERY_UNSUPPORTED` if the index may not cover every row, `ERR_VALUE_INVALID`
   * @throws {KeyError} `ERR_INDEX_STATE`
   */
  index(index: IndexName<S>, text: string): Promise<IndexTerm>
  /**
   * What raw SQL that writes a sealed field must write into the columns of its blind indexes, by their
   * names in the database.
   *
   * @param text - the field's new value; null for NULL.
   * @throws {KeyError} `ERR_INDEX_STATE`
   */
  indexEntries(field: SealedName<S>, text: string | null): Promise<Record<string, string | null>>
}

/** A look-up by a blind index, for raw SQL. */
export interface IndexTerm {
  /** Name of the column in the database, unquoted. */
  readonly column: string
  /** What the text may stand there as: several while the index rotates. */
  readonly values: readonly string[]
}

/** @param planOf - the plan joined with the keyrings of the moment. */
export function rawAccess<S extends PlanSource>(
  planOf: () => CompiledPlan | Promise<CompiledPlan>,
): RawAccess<S> {
  return {
    seal: async (name, value, ...given) => {
      const { model, field } = find(await planOf(), name)
      const bound = boundIn(model, field, given[0] ?? {})
      const plaintext = toPlaintext(field, value)
      const [dek] = await field.keyring.forProtect(1)
      if (dek === undefined) throw new TypeError('No DEK for one value.')
      return sealValue(field, dek, plaintext, bound)
    },
    open: async (name, stored, ...given) => {
      const { model, field } = find(await planOf(), name)
      const bound = boundIn(model, field, given[0] ?? {})
      if (stored === null) return null
      const envelope =
        typeof stored === 'string'
          ? parseText(contentOf(field, stored), name)
          : parseBytes(stored, name)
      if (envelope === null) return plaintextOf(field, stored)
      const [key] = await field.keyring.forProcess([envelope])
      if (key === undefined) throw new TypeError('No key for one value.')
      const aad = field.aad(envelope.suite, bound)
      return fromPlaintext(field, openEnvelope(envelope, key, aad, name))
    },
    index: async (name, text) => {
      const { model, index } = findIndex(await planOf(), name)
      const views = new IndexViews()
      const { column, hashes } = await views.complete(() => lookupOf(views, index))
      return { column: columnOf(model, column), values: hashes(text) }
    },
    indexEntries: async (name, text) => {
      const { model, field } = find(await planOf(), name)
      if (text !== null) toPlaintext(field, text)
      const views = new IndexViews()
      const entries = await views.complete(() =>
        field.indexes.flatMap((index) => indexEntries(views, index, text)),
      )
      return Object.fromEntries(entries.map(([column, entry]) => [columnOf(model, column), entry]))
    },
  }
}

function findIndex(plan: CompiledPlan, name: string): { model: ModelPlan; index: IndexPlan } {
  const [modelName = '', column = ''] = name.split('.')
  const model = plan.get(modelName)
  const index = model?.indexes.get(column)
  if (model !== undefined && index !== undefined) return { model, index }
  throw new TypeError(`${name} is not a blind index of the plan.`)
}

function columnOf({ source }: ModelPlan, field: string): string {
  return source.columns[field]?.column ?? field
}

/** SQLite and MariaDB hand out JSON as text: an envelope with its quotes, and nothing in it to escape. */
function contentOf({ spec }: FieldPlan, stored: string): string {
  return spec.type === 'Json' && stored.startsWith('"rs1.') ? stored.slice(1, -1) : stored
}

function plaintextOf(field: FieldPlan, stored: string | Uint8Array): unknown {
  if (field.spec.plaintext === 'allow' || field.spec.seal === 'off') return stored
  throw new EnvelopeError(
    'ERR_PLAINTEXT_REFUSED',
    `This value of ${field.label} was never sealed.`,
    {
      field: field.label,
      fix: 'Seal it with $rowseal.seal, or annotate the field with @encrypted(plaintext: allow).',
    },
  )
}

function find(plan: CompiledPlan, name: string): { model: ModelPlan; field: FieldPlan } {
  const [modelName = '', fieldName = ''] = name.split('.')
  const model = plan.get(modelName)
  const field = model?.sealed.get(fieldName)
  if (model !== undefined && field !== undefined) return { model, field }
  throw new TypeError(`${name} is not a sealed field of the plan.`)
}
