import type { QuarantineEntry } from '../quarantine/entries.ts'
import type { QuarantinePage } from '../quarantine/list.ts'
import type { RetryReport } from '../quarantine/retry.ts'
import { count, dateOf, table } from './output.ts'

/** @param filter - flags of the same command, for the one that shows the next page. */
export function renderQuarantine(page: QuarantinePage, filter: string): string {
  const { entries, total, codes, next } = page
  if (total === 0)
    return filter === '' ? 'Nothing is in quarantine.' : 'Nothing in quarantine fits that.'
  const rows = entries.map((entry) => [
    `${entry.model}.${entry.field}`,
    recordOf(entry),
    entry.code,
    entry.direction,
    dateOf(entry.foundAt),
  ])
  const isAll = entries.length === total
  return [
    table(['field', 'record', 'code', 'met by', 'found'], rows),
    '',
    isAll ? `${entriesText(total)}:` : `${count(entries.length)} of ${entriesText(total)}:`,
    ...codesText(codes),
    ...(next === null ? [] : [`More: npx rowseal runs quarantine list${filter} --after ${next}`]),
    `When that is done: npx rowseal runs quarantine retry${filter}`,
  ].join('\n')
}

/** @param filter - flags of the same command. */
export function renderRetried(report: RetryReport, filter: string): string {
  const { released, deleted, left, outcome, models, codes } = report
  if (models.length === 0 && left === 0)
    return filter === '' ? 'Nothing is in quarantine.' : 'Nothing in quarantine fits that.'
  const rows = models.map((model) => [model.model, model.released, model.deleted, model.left])
  return [
    ...(rows.length === 0 ? [] : [table(['model', 'good now', 'deleted', 'left'], rows)]),
    `${released + deleted === 1 ? '1 value is' : `${count(released + deleted)} values are`} in quarantine no more.`,
    ...(deleted === 0 ? [] : [`The records of ${count(deleted)} of them have been deleted.`]),
    ...(outcome === 'stopped' ? ['Stopped before the end.'] : []),
    ...(outcome === 'cancelled' ? ['Cancelled by an operator.'] : []),
    ...(left === 0 ? [] : [`Left, ${entriesText(left)}:`, ...codesText(codes)]),
    ...(left === 0 ? [] : [`Which: npx rowseal runs quarantine list${filter}`]),
  ].join('\n')
}

function codesText(codes: QuarantinePage['codes']): string[] {
  return codes.map(({ code, count: n, fix }) => `  ${code} (${count(n)}): ${fix}`)
}

function entriesText(n: number): string {
  return `${count(n)} ${n === 1 ? 'value' : 'values'} in quarantine`
}

const MAX_KEY = 48

/** A key by the names of its fields. It may hold anything, so what a terminal would obey is written out. */
function recordOf({ record }: QuarantineEntry): string {
  const text = Object.entries(record)
    .map(([name, part]) => `${name}=${part}`)
    .join(' ')
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
      const code = character.codePointAt(0)!.toString(16)
      return `\\u{${code}}`
    })
  const characters = Array.from(text)
  return characters.length <= MAX_KEY ? text : `${characters.slice(0, MAX_KEY - 1).join('')}…`
}
