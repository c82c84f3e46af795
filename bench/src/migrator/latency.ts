import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { drain } from '../../../packages/migrator/src/drain/drain.ts'
import { quantile } from '../measure.ts'
import type { World } from './world.ts'

const PROGRAM = new URL('foreground.ts', import.meta.url).pathname
const FOLDER = new URL('../..', import.meta.url).pathname
const SECONDS = 10

/** Medians of the rounds, of calls of an application that reads and writes single rows. Milliseconds. */
export interface LatencyFigures {
  readonly alone: number
  /** Beside a drain without a bound. */
  readonly unthrottled: number
  /** Beside one that keeps to `maxRowsPerSecond` and short batches. */
  readonly throttled: number
  readonly throttle: object
  readonly unthrottledRatio: number
  readonly throttledRatio: number
  readonly rounds: readonly object[]
}

/** How much slower an application becomes while its table is drained. In turn, since the machine may be busy. */
export async function latencyFigures(
  world: World,
  rows: number,
  rounds: number,
  rowsPerSecond: number,
): Promise<LatencyFigures> {
  const throttle = { maxRowsPerSecond: rowsPerSecond, targetBatchMs: 20 }
  const all: { alone: number; unthrottled: number; throttled: number }[] = []
  for (let i = 0; i < rounds; i++) {
    all.push({
      alone: await foreground(world, rows),
      unthrottled: await beside(world, {}, rows),
      throttled: await beside(world, throttle, rows),
    })
    console.error(JSON.stringify(all.at(-1)))
  }
  const median = (of: (round: (typeof all)[number]) => number): number =>
    quantile(
      all.map(of).toSorted((a, b) => a - b),
      0.5,
    )
  return {
    alone: median(({ alone }) => alone),
    unthrottled: median(({ unthrottled }) => unthrottled),
    throttled: median(({ throttled }) => throttled),
    throttle,
    unthrottledRatio: median(({ alone, unthrottled }) => unthrottled / alone),
    throttledRatio: median(({ alone, throttled }) => throttled / alone),
    rounds: all,
  }
}

/** The drain lasts longer than the calls: else what is left of them would be alone. */
async function beside(world: World, pace: object, rows: number): Promise<number> {
  await world.rotate()
  const stop = new AbortController()
  const running = drain(world.config, { ...pace, now: true, restart: true, signal: stop.signal })
  const median = await foreground(world, rows)
  stop.abort()
  const { outcome } = await running
  if (outcome !== 'stopped') throw new Error('The table is too small: give more --rows.')
  return median
}

async function foreground(world: World, rows: number): Promise<number> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', PROGRAM, String(SECONDS), String(rows)],
    { cwd: FOLDER, env: { ...process.env, ...world.env } },
  )
  return JSON.parse(stdout).median
}
