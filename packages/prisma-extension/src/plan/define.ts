import { SchemaError } from '../errors.ts'
import type { ColumnField, ModelSource, Plan, PlanSource, RelationField } from './plan.ts'
import { PLAN_FORMAT } from './plan.ts'
import { findFlaw } from './shape.ts'

/**
 * Check an emitted plan and freeze it, at every depth. Only generated code calls this.
 *
 * The records of the result (`models`, `columns`, `sealed` …) have no prototype: a model or a field that is
 * called `constructor` is found if it is there, and not otherwise.
 *
 * @throws {SchemaError} `ERR_PLAN_FORMAT` if another version of the generator wrote the plan, or if it was
 * edited into something that is none.
 */
export function definePlan<const S extends PlanSource>(source: S): Plan<S> {
  const written: unknown = source
  const format = isRecord(written) ? written['format'] : undefined
  if (format !== PLAN_FORMAT) {
    throw planFormat(
      `The plan has format ${typeof format === 'number' ? format : 'unknown'}, this version of Rowseal reads format ${PLAN_FORMAT}.`,
    )
  }
  const flaw = findFlaw(source)
  if (flaw !== null) throw planFormat(`The plan is damaged: ${flaw}.`)
  const models = copyRecord(source.models, copyModel)
  return deepFreeze({ source, digest: source.digest, provider: source.provider, models })
}

function planFormat(message: string): SchemaError {
  return new SchemaError('ERR_PLAN_FORMAT', message, {
    fix: 'Run `npx prisma generate` to write it anew.',
  })
}

function copyModel(model: ModelSource): ModelSource {
  return {
    ...model,
    columns: copyRecord(model.columns, copyColumn),
    relations: copyRecord(model.relations, copyRelation),
    uniques: copyRecord(model.uniques, (fields) => [...fields]),
    sealed: copyRecord(model.sealed, (field) => ({ ...field })),
    indexes: copyRecord(model.indexes, (index) => ({ ...index })),
    constraints: copyRecord(model.constraints, (fields) => [...fields]),
    bound: copyRecord(model.bound, (column) => ({ ...column })),
  }
}

const same = (name: string): string => name

function copyColumn(column: ColumnField): ColumnField {
  const { values } = column
  return { ...column, ...(values === undefined ? {} : { values: copyRecord(values, same) }) }
}

function copyRelation(relation: RelationField): RelationField {
  const { boundHere, boundThere } = relation
  return {
    ...relation,
    ...(boundHere === undefined ? {} : { boundHere: copyRecord(boundHere, same) }),
    ...(boundThere === undefined ? {} : { boundThere: copyRecord(boundThere, same) }),
  }
}

function copyRecord<T>(
  record: Readonly<Record<string, T>>,
  copy: (value: T) => T,
): Readonly<Record<string, T>> {
  const result = Object.create(null) as Record<string, T>
  for (const [key, value] of Object.entries(record)) result[key] = copy(value)
  return result
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}
