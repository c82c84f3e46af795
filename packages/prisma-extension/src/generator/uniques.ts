import type { DMMF } from '@prisma/generator-helper'
import type { Provider } from '../plan/plan.ts'

/** How long names are in each database, in bytes. Prisma cuts its own names to fit. */
const NAME_BYTES: Readonly<Record<Provider, number>> = {
  postgresql: 63,
  mysql: 64,
  sqlite: 10_000,
}
const SUFFIX = '_key'

/** The fields of every unique constraint of a model, ids left out. */
export function uniquesOf(
  datamodel: DMMF.Datamodel,
  model: DMMF.Model,
): readonly (readonly string[])[] {
  return uniqueIndexes(datamodel, model).map(({ fields }) => fields.map(({ name }) => name))
}

/**
 * Is there a unique constraint over exactly one name out of each of the choices, in whatever order?
 */
export function isCovered(
  uniques: readonly (readonly string[])[],
  choices: readonly (readonly string[])[],
): boolean {
  return uniques.some((fields) => fields.length === choices.length && isMatch(fields, [...choices]))
}

function isMatch(fields: readonly string[], choices: readonly (readonly string[])[]): boolean {
  const [first, ...rest] = fields
  if (first === undefined) return true
  return choices.some(
    (choice, i) =>
      choice.includes(first) &&
      isMatch(
        rest,
        choices.filter((_, at) => at !== i),
      ),
  )
}

/** The unique constraints that hold one of the columns, by their name in the database. */
export function constraintsOver(
  datamodel: DMMF.Datamodel,
  model: DMMF.Model,
  columns: readonly string[],
  provider: Provider,
): Record<string, readonly string[]> {
  const entries = uniqueIndexes(datamodel, model).map(({ dbName, fields }) => {
    const names = fields.map(({ name }) => name)
    return [dbName ?? defaultName(model, names, provider), names] as const
  })
  return Object.fromEntries(
    entries.filter(([, fields]) => fields.some((name) => columns.includes(name))),
  )
}

function uniqueIndexes({ indexes }: DMMF.Datamodel, model: DMMF.Model): DMMF.Index[] {
  return indexes.filter((index) => index.model === model.name && index.type === 'unique')
}

/** The name that Prisma's schema engine gives a unique constraint. */
function defaultName(model: DMMF.Model, names: readonly string[], provider: Provider): string {
  const columns = names.map(
    (name) => model.fields.find((field) => field.name === name)?.dbName ?? name,
  )
  const joined = Buffer.from([model.dbName ?? model.name, ...columns].join('_'))
  const room = NAME_BYTES[provider] - SUFFIX.length
  if (joined.length < room) return `${joined.toString()}${SUFFIX}`
  let end = room
  while (((joined[end] ?? 0) & 0xc0) === 0x80) end-- // not within a character
  return `${joined.subarray(0, end).toString()}${SUFFIX}`
}
