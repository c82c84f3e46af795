// npm run bench:readme     writes the tables of README.md and bench/RESULTS.md from the newest results
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import type { Report } from './report.ts'
import { allTables, readmeTables } from './table.ts'

const ROOT = new URL('../../', import.meta.url)
const [BEGIN, END] = ['<!-- bench:begin -->', '<!-- bench:end -->']

/** Each page, and what stands between its markers. */
const PAGES = { 'README.md': readmeTables, 'bench/RESULTS.md': allTables } as const

export type Page = keyof typeof PAGES
export const PAGE_NAMES = Object.keys(PAGES) as Page[]

/** The newest full results of each line of Node, the oldest line first. */
export function newestReports(): Report[] {
  const newest = new Map<number, string>()
  const folder = new URL('bench/results/', ROOT)
  for (const name of readdirSync(folder).sort()) {
    const node = /^\d{4}-\d\d-\d\d-node(\d+)\.json$/.exec(name)?.[1]
    if (node !== undefined) newest.set(Number(node), name)
  }
  return [...newest]
    .sort(([a], [b]) => a - b)
    .map(([, name]) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Report)
}

export function read(page: Page): string {
  return readFileSync(new URL(page, ROOT), 'utf8')
}

/** The page with the tables of these results between its markers. */
export async function written(page: Page, reports: readonly Report[]): Promise<string> {
  const text = read(page)
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from === -1 || to < from) throw new Error(`${page} has no markers for the tables.`)
  const next = `${text.slice(0, from + BEGIN.length)}\n\n${PAGES[page](reports)}\n\n${text.slice(to)}`
  const filepath = fileURLToPath(new URL(page, ROOT))
  return format(next, { ...(await resolveConfig(filepath)), filepath })
}

if (import.meta.filename === process.argv[1]) {
  const reports = newestReports()
  for (const page of PAGE_NAMES) writeFileSync(new URL(page, ROOT), await written(page, reports))
}
