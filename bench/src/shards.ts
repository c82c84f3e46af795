import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { World } from './migrator/world.ts'

const FOLDER = new URL('..', import.meta.url)
const BIN = new URL('node_modules/@rowseal/migrator/bin/rowseal.mjs', FOLDER).pathname

/** Drain a table by so many `rowseal drain --shard i/n` at once, each with so many threads: rows per second. */
export async function drainInShards(
  world: World,
  rows: number,
  of: number,
  threads: number,
): Promise<number> {
  await world.rotate()
  await world.analyze()
  const all = Array.from({ length: of }, (_, i) => {
    const shard = of === 1 ? [] : ['--shard', `${i + 1}/${of}`]
    return oneShard(world, [...shard, '--threads', String(threads)])
  })
  const reports = await Promise.all(all)
  const done = reports.reduce((sum, report) => sum + report.rows, 0)
  if (done !== rows) throw new Error(`${done} of ${rows} rows were rewritten.`)
  return Math.round(rows / Math.max(...reports.map(({ seconds }) => seconds)))
}

async function oneShard(
  { env }: World,
  flags: readonly string[],
): Promise<{ readonly rows: number; readonly seconds: number }> {
  const child = spawn(process.execPath, [BIN, 'drain', '--now', '--json', ...flags], {
    cwd: FOLDER,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  if (code !== 0) throw new Error(`rowseal drain ended with exit code ${String(code)}.`)
  return JSON.parse(output)
}
