import { RowsealError } from '@rowseal/prisma-extension'

/** Everything for people goes to stderr; stdout is for the one JSON document, or for SQL. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Write to stdout, and wait until whoever reads it has it. @throws if they have gone, as `head` does. */
export async function print(text: string, end = '\n'): Promise<void> {
  const { stdout } = process
  await new Promise<void>((done, fail) => {
    // The event comes after the answer, and without a listener Node would end with a stack trace.
    stdout.once('error', fail)
    stdout.write(`${text}${end}`, (error) => {
      if (error) fail(error)
      else {
        stdout.off('error', fail)
        done()
      }
    })
  })
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A time for people, to the minute. */
export function dateOf(iso: string | null): string {
  return iso === null ? '' : `${iso.slice(0, 16).replace('T', ' ')} UTC`
}

/** Columns as wide as they must be; numbers to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = [head, ...rows.map((row) => row.map(text))]
  const widths = head.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? '').length)))
  const isNumber = head.map((_, i) => rows.some((row) => typeof row[i] === 'number'))
  const lines = cells.map((row) =>
    row.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))),
  )
  return lines.map((line) => `  ${line.join('  ')}`.trimEnd()).join('\n')
}

function text(cell: string | number): string {
  return typeof cell === 'number' ? count(cell) : cell
}

/** What a machine is told of an error. */
export function errorDocument(error: unknown): object {
  const { code, fix, field, counts } = Object(error) as Partial<RowsealError> & { counts?: object }
  const message = error instanceof Error ? error.message : String(error)
  return {
    error: {
      code: code ?? null,
      message,
      fix: fix ?? null,
      field: field ?? null,
      ...(counts === undefined ? {} : { counts }),
    },
  }
}
