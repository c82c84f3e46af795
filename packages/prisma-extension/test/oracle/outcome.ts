import { QueryError } from '../../src/index.ts'
import type { Refusable } from './declared.ts'
import { isIndexColumn } from './compare.ts'
import { JOIN_TABLE, modelsOf } from './models.ts'

/** How a call ended. */
export type Outcome =
  | { readonly kind: 'result'; readonly result: unknown }
  /** An error of Prisma's. `report` is what an application can tell it apart by. */
  | { readonly kind: 'error'; readonly report: string; readonly error: Error }
  /** Rowseal's own refusal. `clauses` are those of the call that may be refused. */
  | { readonly kind: 'refused'; readonly clauses: readonly Refusable[]; readonly error: QueryError }

export function outcomeOf(thrown: unknown, clauses: ReadonlySet<Refusable>): Outcome {
  if (thrown instanceof QueryError) {
    return { kind: 'refused', clauses: [...clauses], error: thrown }
  }
  if (!(thrown instanceof Error)) throw new TypeError(`Thrown: ${String(thrown)}`)
  return { kind: 'error', report: reportOf(thrown), error: thrown }
}

function reportOf(error: any): string {
  switch (error.name) {
    case 'PrismaClientKnownRequestError':
      if (error.code === 'P2002') return `P2002 of ${fieldsOf(error.meta)}`
      return error.code
    case 'PrismaClientValidationError':
      return 'validation error'
    case 'PrismaClientUnknownRequestError':
      return `unknown request error ${error.message}`
    default:
      return `${String(error.name)} ${String(error.code)} ${String(error.message)}`
  }
}

/** The fields of the unique that was violated, in the shapes in which databases name it. */
function fieldsOf(meta: any): string {
  const reported = meta?.driverAdapterError?.cause?.constraint
  const constraint = reported && JSON.parse(JSON.stringify(reported).replace(UNMAPPED, '$1'))
  const fields: readonly string[] = constraint?.fields?.map((name: string) =>
    name.replaceAll('"', ''),
  ) ??
    NAMED.get(constraint?.index) ?? [`constraint ${JSON.stringify(constraint)}`]
  return [...fields].sort().join()
}

/** Until P2002 is reported for the sealed field. */
const UNMAPPED = /(\w+)Index2?(?=["\\_])/g

/** Constraints by their names in the database. */
const NAMED: ReadonlyMap<string, readonly string[]> = new Map(
  modelsOf('postgresql').flatMap(({ name, id, uniques, fields }): [string, readonly string[]][] => [
    [`${name}_pkey`, id],
    ...fields.flatMap((field): [string, string[]][] =>
      field.isUnique ? [[`${name}_${field.name}_key`, [field.name]]] : [],
    ),
    ...uniques.map((names): [string, readonly string[]] => [
      `${name}_${names.join('_')}_key`,
      names,
    ]),
    [`${JOIN_TABLE.name}_AB_pkey`, ['A', 'B']],
  ]),
)

/** Does an error name what only Rowseal knows of? */
export const namesIndex = (report: string): boolean => report.split(/[ ,]/).some(isIndexColumn)
