import { QueryError } from '../errors.ts'
import { isFieldOf, type ModelPlan } from './compile.ts'
import { isAbsent, type PlainObject } from './special.ts'

/**
 * Is a nested update of a single relation `{ where, data }`, and not the bare data?
 *
 * @throws {QueryError} `ERR_QUERY_UNSUPPORTED` if fields of the model are named so that it may be either.
 */
export function isWrapper(model: ModelPlan, value: PlainObject): boolean {
  const keys = Object.keys(value).filter((key) => !isAbsent(value[key]))
  if (!keys.includes('data')) return false
  if (!isFieldOf(model, 'data') || !model.reaches) return true
  if (!keys.every((key) => key === 'data' || key === 'where')) return false
  if (keys.length === 2 && !isFieldOf(model, 'where')) return true
  throw new QueryError(
    'ERR_QUERY_UNSUPPORTED',
    `${model.name} has a field named "data", so a nested update that holds ${keys.length === 1 ? 'only "data"' : '"where" and "data"'} can be read in two ways.`,
    {
      fix: isFieldOf(model, 'where')
        ? `Update ${model.name} by itself.`
        : 'Write { where: {}, data: {...} } if "data" holds the update.',
    },
  )
}
