import { databaseOf, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import {
  Entries,
  placeOf,
  type Place,
  type QuarantineEntry,
  type QuarantineFilter,
} from './entries.ts'

export interface ExportQuarantineOptions extends QuarantineFilter {
  /** One JSON document a line, or CSV (RFC 4180) with a header. Default: `jsonl`. */
  readonly format?: 'jsonl' | 'csv'
}

const PAGE = 1_000
const COLUMNS = ['model', 'field', 'key', 'code', 'direction', 'foundAt', 'fix'] as const

/**
 * Lines of all that is in quarantine, each with its end. No content. What is recorded meanwhile may be among it
 * or not.
 *
 * @throws {TypeError} for a format that is none.
 * @throws {MigrationError} `ERR_DATABASE_FAILED` `ERR_CONFIG_INVALID`
 */
export async function* exportQuarantine(
  config: MigratorConfig,
  options: ExportQuarantineOptions = {},
): AsyncGenerator<string, void, undefined> {
  const { client, plan } = databaseOf(config)
  const { format = 'jsonl' } = options
  if (!['jsonl', 'csv'].includes(format)) throw new TypeError('format must be jsonl or csv.')
  const entries = new Entries(client, plan)
  if (format === 'csv') yield csvLine(COLUMNS)
  try {
    if (!(await entries.exist())) return
    for (let after: Place | null = null; ;) {
      const page: QuarantineEntry[] = await entries.page(options, after, PAGE)
      for (const entry of page) yield format === 'csv' ? csvLine(cellsOf(entry)) : jsonLine(entry)
      if (page.length < PAGE) return
      after = placeOf(page.at(-1)!)
    }
  } catch (error) {
    throw asMigrationError(error, plan.provider === 'sqlite', 'try again')
  }
}

function jsonLine(entry: QuarantineEntry): string {
  return `${JSON.stringify(entry)}\n`
}

/** A key of one column as it is, one of more as JSON. */
function cellsOf({ key, ...entry }: QuarantineEntry): string[] {
  const cells: Record<string, unknown> = {
    ...entry,
    key: key.length === 1 ? key[0] : JSON.stringify(key),
  }
  return COLUMNS.map((name) => String(cells[name]))
}

/** With what a spreadsheet would run as a formula made text. */
function csvLine(cells: readonly string[]): string {
  const safe = cells.map((cell) =>
    /^[=+\-@\t\r\n＝＋－＠]/.test(cell) && !isNumber(cell) ? `'${cell}` : cell,
  )
  return `${safe.map((cell) => (/[",;\r\n\t]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`
}

/** A key may be -1, which is no formula. */
function isNumber(cell: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(cell)
}
