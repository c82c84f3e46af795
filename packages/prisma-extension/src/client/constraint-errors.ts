import type { CompiledPlan, IndexPlan, ModelPlan } from '../query/index.ts'

/**
 * Prisma reports a duplicate of an encrypted field by the constraint over its blind index. To the
 * application that column does not exist: the error is put into the words it has on a plain column. The
 * driver's own text, which on MySQL quotes the value, is cut down to the names.
 */

interface Constraint {
  index?: string
  fields?: string[]
}

/** The parts of Prisma's P2002 that name what was violated. PostgreSQL and MySQL give a name, SQLite columns. */
interface Violation {
  readonly constraint?: Constraint
  readonly table?: string
  originalMessage?: string
}

/** Fields of a model that stand for a violated constraint, and how the database names both. */
interface Found {
  readonly model: ModelPlan
  /** The fields of the constraint that was violated. */
  readonly columns: readonly string[]
}

/** A duplicate in a blind index, or of a field in the clear that has one. */
export interface IndexDuplicate {
  /** The indexes whose columns the constraint is over. */
  readonly indexes: readonly IndexPlan[]
  /** Is it over a field that is no longer sealed, so that the one over its index says the same? */
  readonly isInClear: boolean
  /** The same error, which says what it would say on plain columns. */
  readonly named: () => unknown
}

/** What an error of Prisma says of blind indexes; null if nothing. */
export function indexDuplicate(plan: CompiledPlan, error: unknown): IndexDuplicate | null {
  const violation = violationOf(error)
  const found = violation === null ? null : find(plan, violation)
  if (violation === null || found === null) return null
  const { model, columns } = found
  return {
    indexes: columns.flatMap((name) => model.indexes.get(name) ?? []),
    isInClear: columns.some((name) => isClear(model, name)),
    named: () => {
      rename(error as Error, nameFields(violation, found))
      return error
    },
  }
}

/** Put the encrypted fields in the place of their indexes. */
function nameFields(violation: Violation, { model, columns }: Found): Constraint {
  const constraint = violation.constraint ?? {}
  const fields = columns.map((name) => model.indexes.get(name)?.field.name ?? name)
  const named = nameOf(model, fields)
  if (constraint.index !== undefined && named !== null) constraint.index = named
  else {
    delete constraint.index
    constraint.fields = fields.map((name) => columnOf(model, name))
  }
  const { index, fields: list } = constraint
  violation.originalMessage = `unique constraint failed: ${index ?? list?.join(', ') ?? ''}`
  return constraint
}

function violationOf(error: unknown): Violation | null {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'P2002') return null
  const { meta } = error as { meta?: { driverAdapterError?: { cause?: Violation } } }
  return meta?.driverAdapterError?.cause ?? null
}

function find(plan: CompiledPlan, { constraint, table }: Violation): Found | null {
  const names = constraint?.fields?.map((name) => name.replace(/^"(.*)"$/, '$1'))
  for (const model of plan.values()) {
    if (model.indexes.size === 0 || (table !== undefined && table !== model.source.table)) continue
    for (const [name, columns] of Object.entries(model.source.constraints)) {
      if (!columns.some((name) => model.indexes.has(name) || isClear(model, name))) continue
      const isIt =
        names === undefined
          ? isNamed(name, constraint?.index)
          : isSameSet(
              names,
              columns.map((column) => columnOf(model, column)),
            )
      if (isIt) return { model, columns }
    }
  }
  return null
}

/** Is this a field with a unique index whose values are written as they are? */
function isClear({ sealed }: ModelPlan, name: string): boolean {
  const field = sealed.get(name)
  return field?.spec.seal === 'off' && field.indexes.some(({ isUnique }) => isUnique)
}

/** MySQL puts the table's name before the constraint's. */
function isNamed(name: string, given = ''): boolean {
  return given === name || given.endsWith(`.${name}`)
}

function nameOf({ source }: ModelPlan, fields: readonly string[]): string | null {
  const found = Object.entries(source.constraints).find(([, columns]) => isSameSet(columns, fields))
  return found?.[0] ?? null
}

function columnOf({ source }: ModelPlan, field: string): string {
  return source.columns[field]?.column ?? field
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name))
}

/** The end of the message, which the stack repeats, names what failed. */
function rename(error: Error, { index, fields = [] }: Constraint): void {
  const what =
    index === undefined
      ? `fields: (${fields.map((name) => `\`${name}\``).join(', ')})`
      : `constraint: \`${index}\``
  const former = error.message
  error.message = former.replace(
    /(Unique constraint failed on the )(?:constraint: `[^`]*`|fields?: \([^)]*\))/,
    (_, start: string) => start + what,
  )
  if (error.stack !== undefined) error.stack = error.stack.replace(former, () => error.message)
}
