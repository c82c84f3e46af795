import { SchemaError } from '../errors.ts'
import type { Problem } from '../schema/index.ts'

/** All problems of one run as one error, in the order of the files. */
export function reportProblems(problems: readonly [Problem, ...Problem[]]): SchemaError {
  const sorted = [...problems].sort(
    (a, b) => a.place.file.localeCompare(b.place.file) || a.place.line - b.place.line,
  )
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const fix = 'Then run `npx prisma generate` again. No plan was written.'
  return new SchemaError(
    problems[0].code,
    [`Rowseal found ${count} in the schema.`, ...sorted.map(entry), ''].join('\n\n'),
    { fix },
  )
}

function entry({ code, place, what, fix }: Problem): string {
  const name = [place.model, place.field].filter((part) => part !== undefined).join('.')
  const head = [name, `${place.file}:${place.line}`, `[${code}]`].filter((part) => part !== '')
  return [head.join('  '), `  ${what}`, `  Fix: ${fix}`].join('\n')
}
