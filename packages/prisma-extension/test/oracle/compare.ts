import type { Grammar } from './filters.ts'
import type { Model } from './models.ts'

/** Results in a form in which two that must be equal are the same text. */

type Arguments = Readonly<Record<string, any>>

/** Is this the column of a blind index, which the plain twin lacks? */
export const isIndexColumn = (name: string): boolean => /Index2?$/.test(name)

/** What a call gave back. `args` are those of the result's model, which may order its lists. */
export function canonicalResult(
  grammar: Grammar,
  model: Model,
  name: string,
  args: Arguments,
  result: unknown,
): string {
  if (name === 'groupBy') return JSON.stringify(listOf((result as unknown[]).map(scalar), args))
  const isRows = !['count', 'aggregate', 'createMany', 'updateMany', 'deleteMany'].includes(name)
  return JSON.stringify(isRows ? rows(grammar, model, args, result) : scalar(result))
}

/** Records and lists of them. */
export function rows(grammar: Grammar, model: Model, args: Arguments, value: unknown): unknown {
  if (Array.isArray(value)) {
    return listOf(
      value.map((row) => rows(grammar, model, args, row)),
      args,
    )
  }
  if (value === null || typeof value !== 'object') return scalar(value)
  const chosen: Arguments = args['select'] ?? args['include'] ?? {}
  const entries = Object.entries(value).filter(([key]) => !isIndexColumn(key))
  return entries.map(([key, inner]) => {
    const relation = model.relations.find(({ name }) => name === key)
    if (relation !== undefined) {
      const below = typeof chosen[key] === 'object' && chosen[key] !== null ? chosen[key] : {}
      return [key, rows(grammar, grammar.model(relation.model), below, inner)]
    }
    // It differs between the twins by nature.
    const isTime = model.fields.some(({ name, isUpdatedAt }) => name === key && isUpdatedAt)
    return [key, isTime ? 'a time' : scalar(inner)]
  })
}

/** Without an order, any order is right. */
function listOf(items: readonly unknown[], args: Arguments): unknown {
  if (args['orderBy'] !== undefined && typeof args['orderBy'] === 'object') return items
  return items.map((item) => JSON.stringify(item)).sort()
}

/** A value with its type, so that `1`, `'1'` and `1n` differ. The order of keys is the database's own in Json. */
export function scalar(value: unknown): unknown {
  if (value === undefined) return { undefined: true }
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (typeof value === 'string') return value.length > 2000 ? { long: digest(value) } : value
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return { date: value.toISOString() }
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return { [value.constructor.name]: digest(bytes.toString('base64')) }
  }
  if ('toFixed' in value && typeof value.toFixed === 'function') {
    return { decimal: value.toFixed() as string }
  }
  if (Array.isArray(value)) return value.map(scalar)
  const keys = Object.keys(value).sort()
  return { object: keys.map((key) => [key, scalar((value as Record<string, unknown>)[key])]) }
}

const digest = (text: string): string =>
  text.length > 200 ? `${text.length} characters, ${hash(text)}` : text

function hash(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0
  return sum
}
