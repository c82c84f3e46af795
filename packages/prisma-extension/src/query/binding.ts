import type { FieldPlan, ModelPlan } from './compile.ts'
import { notKnown } from './refuse-binding.ts'
import type { PlainObject } from './special.ts'

/**
 * What is known of the bound columns of a record that a query writes. Everything is text, as it stands in
 * the additional data; null for what is not known.
 */
export interface Binding {
  /** What is written, with ids and defaults of bound columns filled in. */
  readonly data: PlainObject
  /** @throws {QueryError} `ERR_RECORD_BINDING` if a column that the field binds is not known. */
  readonly boundTo: (field: FieldPlan) => readonly Buffer[]
  /** Foreign keys that records below a relation get from this one. */
  readonly below: (relation: string) => Given
}

/** Bound foreign keys that a nested write gets from the record above it, by name. Asked only if needed. */
export type Given = ReadonlyMap<string, () => string | null>

/** Nothing: for a record that is not below another, or whose foreign keys nothing is bound to. */
export const NOTHING_GIVEN: Given = new Map()
export const NOTHING_BOUND: readonly Buffer[] = Object.freeze([])

/** The binding of a model to whose columns nothing is bound. */
export function unbound(data: PlainObject): Binding {
  return { data, boundTo: () => NOTHING_BOUND, below: () => NOTHING_GIVEN }
}

/** Why a column may not be known, and what to do: ends of sentences, and a sentence. */
export interface Unknown {
  readonly why: string
  readonly fix: (column: string) => string
}

/**
 * @param text - of a bound column, once the record is written.
 * @param handedDown - of a bound column, as records below get it.
 */
export function bindingOf(
  model: ModelPlan,
  data: PlainObject,
  text: (column: string) => string | null,
  handedDown: (column: string) => string | null,
  unknown: Unknown,
): Binding {
  return {
    data,
    boundTo: (field) => {
      if (field.spec.bind.length === 0) return NOTHING_BOUND
      return field.spec.bind.map((column) => {
        const known = text(column)
        if (known === null) throw notKnown(field, column, unknown.why, unknown.fix(column))
        return Buffer.from(known)
      })
    },
    below: (relation) => {
      const { boundThere } = model.source.relations[relation] ?? {}
      if (boundThere === undefined) return NOTHING_GIVEN
      const keys = Object.entries(boundThere)
      return new Map(keys.map(([key, column]) => [key, () => handedDown(column)]))
    },
  }
}
