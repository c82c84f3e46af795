import { QueryError } from '../../src/index.ts'
import type { Refusable } from './declared.ts'
import type { Mark } from './special.ts'

/** How a call ended. */
export type Outcome =
  | { readonly kind: 'result'; readonly result: unknown }
  /** An error of Prisma's. `report` is what an application can tell it apart by. */
  | { readonly kind: 'error'; readonly report: string; readonly error: Error }
  /** Rowseal's own refusal. `clauses` are those of the call that may be refused with this error. */
  | { readonly kind: 'refused'; readonly clauses: readonly Refusable[]; readonly error: QueryError }

export function outcomeOf(thrown: unknown, marks: readonly Mark[]): Outcome {
  if (thrown instanceof QueryError) {
    const name = thrown.field?.split('.').at(-1) ?? ''
    const clauses = marks.filter(({ names }) => names.includes(name)).map(({ clause }) => clause)
    return { kind: 'refused', clauses: [...new Set(clauses)], error: thrown }
  }
  if (!(thrown instanceof Error)) throw new TypeError(`Thrown: ${String(thrown)}`)
  return { kind: 'error', report: reportOf(thrown), error: thrown }
}

/** Errors whose words depend on what the database comes to first. */
const CODE_ONLY: ReadonlySet<string> = new Set([
  'P2003', // one of several rows that violate foreign keys
  'P2022', // one of several columns in SQL of Prisma's that the database does not take
  'P2039',
])

function reportOf(error: any): string {
  switch (error.name) {
    case 'PrismaClientKnownRequestError':
      if (CODE_ONLY.has(error.code)) return error.code
      return `${error.code} of ${metaOf(error.meta)}: ${lastLine(error)}`
    case 'PrismaClientValidationError':
      return 'validation error'
    case 'PrismaClientUnknownRequestError':
      return `unknown request error ${error.message}`
    default:
      return `${String(error.name)} ${String(error.code)} ${String(error.message)}`
  }
}

/** What the error says beside its message, without the words of the driver, which may quote values. */
function metaOf(meta: any): string {
  return JSON.stringify(meta, (key, value) => (key === 'originalMessage' ? undefined : value))
}

/** The reason. Above it the call is quoted. */
export const lastLine = (error: Error): string => error.message.trim().split('\n').at(-1)!

/** Does an error show what only Rowseal knows of: a column of an index, a hash or an envelope? */
export function isTelling({ report, error }: Extract<Outcome, { kind: 'error' }>): boolean {
  if (/\w+Index2?\b/.test(report)) return true
  const text = error.message + JSON.stringify((error as { meta?: unknown }).meta)
  return /r[is]1\.[0-9a-f]{8}\.[\w-]{20}/.test(text)
}
