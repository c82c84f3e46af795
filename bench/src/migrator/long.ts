import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from './world.ts'

const FOLDER = new URL('../..', import.meta.url).pathname
const EVERY_MS = 10_000

/** What was seen at a moment of the run. */
interface Sample {
  readonly seconds: number
  /** Rewritten so far, as the checkpoint has it. */
  readonly rows: number
  readonly residentMb: number
  readonly load: number
}

export interface LongFigures {
  readonly rows: number
  readonly seconds: number
  readonly rowsPerSecond: number
  /** By the kernel's high-water mark. */
  readonly peakResidentMb: number
  /** Of the first and the last fifth of the rows, in rows per second. */
  readonly firstFifth: number
  readonly lastFifth: number
  readonly samples: readonly Sample[]
}

/** `rowseal drain` over the whole table, in a process of its own, looked at every ten seconds. PostgreSQL only. */
export async function longFigures(
  world: World,
  rows: number,
  threads?: number,
): Promise<LongFigures> {
  await world.rotate()
  const bin = new URL('node_modules/@rowseal/migrator/bin/rowseal.mjs', `file://${FOLDER}`)
  const flags = threads === undefined ? [] : ['--threads', String(threads)]
  const child = spawn(process.execPath, [bin.pathname, 'drain', '--now', '--json', ...flags], {
    cwd: FOLDER,
    env: { ...process.env, ...world.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = text(child.stdout)
  const exited = once(child, 'exit')
  const began = performance.now()
  const samples: Sample[] = []
  let peakMb = 0
  while (child.exitCode === null) {
    await Promise.race([sleep(EVERY_MS), exited])
    const memory = memoryOf(child.pid!)
    if (memory === null) break
    peakMb = Math.max(peakMb, memory.peakMb)
    const done = await rowsDone(world)
    if (done === null) continue
    const seconds = Math.round(performance.now() - began) / 1000
    samples.push({ seconds, rows: done, residentMb: memory.residentMb, load: loadavg()[0]! })
    console.error(JSON.stringify(samples.at(-1)))
  }
  await exited
  if (child.exitCode !== 0) throw new Error(`rowseal drain ended with ${String(child.exitCode)}.`)
  const report = JSON.parse(await output)
  if (report.rows !== rows) throw new Error(`${report.rows} of ${rows} rows were rewritten.`)
  return {
    rows,
    seconds: report.seconds,
    rowsPerSecond: Math.round(rows / report.seconds),
    peakResidentMb: Math.round(peakMb),
    firstFifth: rateBetween(samples, 0, rows / 5),
    lastFifth: rateBetween(samples, (4 * rows) / 5, rows),
    samples,
  }
}

/** Null after the first pass, which is the one that writes. */
async function rowsDone({ client }: World): Promise<number | null> {
  const [part] = await client.$queryRawUnsafe(
    `SELECT checkpoint FROM rowseal_parts WHERE model = 'Note' AND kind = 'write'`,
  )
  if (part?.checkpoint == null) return 0
  const { pass, counts } = JSON.parse(part.checkpoint)
  return pass === 1 ? counts.rows : null
}

function memoryOf(pid: number): { residentMb: number; peakMb: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const mb = (name: string): number =>
      Math.round((Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024) / 1e5) / 10
    return status.includes('VmRSS') ? { residentMb: mb('VmRSS'), peakMb: mb('VmHWM') } : null
  } catch {
    return null
  }
}

function rateBetween(samples: readonly Sample[], from: number, to: number): number {
  // Once all are rewritten the checkpoint stands still, while the last pass looks for more.
  const all = samples.findIndex(({ rows }) => rows >= to)
  const within = samples.slice(0, all + 1).filter(({ rows }) => rows >= from)
  const [first, last] = [within[0], within.at(-1)]
  if (first === undefined || last === undefined || first === last) return NaN
  return Math.round((last.rows - first.rows) / (last.seconds - first.seconds))
}
