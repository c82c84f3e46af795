import type { QuarantineEntry } from '../quarantine/entries.ts'
import type { QuarantinePage } from '../quarantine/list.ts'
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
    ...codes.map(({ code, count: n, fix }) => `  ${code} (${count(n)}): ${fix}`),
    ...(next === null ? [] : [`More: npx rowseal runs quarantine list${filter} --after ${next}`]),
  ].join('\n')
}

export function entriesText(n: number): string {
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
