import { rotate } from '@rowseal/prisma-extension/keys'
import { init } from '@rowseal/migrator'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { DrainResult } from './drain-process.ts'
import type { Figure } from './measure.ts'
import type { Bench } from './setup.ts'

const CHUNK = 5_000

/** Re-encrypt a table with two sealed fields of 60 bytes, on PostgreSQL on the same machine. */
export async function drain(bench: Bench, rows: number): Promise<Figure[]> {
  const config = { client: bench.base, plan: bench.plan, keyring: bench.keyring }
  await init(config)
  for (let at = 0; at < rows; at += CHUNK) {
    const data = Array.from({ length: Math.min(CHUNK, rows - at) }, (_, i) => ({
      id: at + i,
      title: `title ${at + i}`.padEnd(60, '.'),
      text: `text ${at + i}`.padEnd(60, '.'),
    }))
    await bench.sealed.note.createMany({ data })
  }
  await bench.base.$executeRawUnsafe('VACUUM ANALYZE "Note"')
  await rotate(bench.keyring)

  // In a process of its own: this one's memory is that of making the rows.
  const { peak, marks } = await inChild(bench.sealedUrl)
  if (marks[marks.length - 1]!.rows !== rows) throw new Error('The drain did not finish.')
  const seconds = (marks[marks.length - 1]!.at - marks[0]!.at) / 1000
  return [
    {
      name: `drain ${rows.toLocaleString('en')} rows`,
      unit: 'rows/s',
      rowseal: rows / seconds,
      target: '>= 8,000',
    },
    { name: 'drain, last tenth', unit: 'rows/s', rowseal: rateOf(marks, 0.9, 1) },
    { name: 'drain, first tenth', unit: 'rows/s', rowseal: rateOf(marks, 0, 0.1) },
    { name: 'drain, peak resident memory', unit: 'MB', rowseal: peak / 1e6, target: '< 250' },
  ]
}

async function inChild(url: string): Promise<DrainResult> {
  const program = new URL('drain-process.ts', import.meta.url).pathname
  const child = fork(program, [url], { execArgv: ['--import', 'tsx'] })
  const [result] = (await once(child, 'message')) as [DrainResult]
  await once(child, 'exit')
  return result
}

function rateOf(marks: readonly { rows: number; at: number }[], from: number, to: number): number {
  const total = marks[marks.length - 1]!.rows
  const at = (share: number): { rows: number; at: number } =>
    marks.find((mark) => mark.rows >= total * share)!
  const [a, b] = [at(from), at(to)]
  return ((b.rows - a.rows) / (b.at - a.at)) * 1000
}
