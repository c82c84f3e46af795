import { SchemaError } from '../errors.ts'
import type { Problem } from '../schema/index.ts'

/** All problems of one run as one error, in the order of the files, those of one place together. */
export function reportProblems(problems: readonly [Problem, ...Problem[]]): SchemaError {
  const sorted = [...problems].sort(
    (a, b) => compare(a.place.file, b.place.file) || a.place.line - b.place.line,
  )
  const groups = new Map<string, string[]>()
  for (const problem of sorted) {
    const head = headOf(problem)
    groups.set(head, [
      ...(groups.get(head) ?? [head]),
      `  ${problem.what}`,
      `  Fix: ${problem.fix}`,
    ])
  }
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const entries = [...groups.values()].map((lines) => lines.join('\n'))
  return new SchemaError(
    problems[0].code,
    [`Rowseal found ${count} in the schema.`, ...entries, 'No plan was written.'].join('\n\n'),
    { fix: 'Correct the schema and run `npx prisma generate` again.' },
  )
}

function headOf({ code, place: { file, line, model, field } }: Problem): string {
  const name = [model, field].filter((part) => part !== undefined).join('.')
  return [`${file}:${line}`, name, `[${code}]`].filter((part) => part !== '').join('  ')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
