import { DRAIN } from '../../../packages/migrator/src/drain/direction.ts'
import type { SealedChange } from '../../../packages/migrator/src/drain/reencrypt.ts'
import type { Direction } from '../../../packages/migrator/src/engine/direction.ts'
import { runDirection } from '../../../packages/migrator/src/engine/run.ts'
import { verify } from '../../../packages/migrator/src/verify/verify.ts'
import { quantile } from '../measure.ts'
import { ceilingOf } from './ceiling.ts'
import { serverCpuSeconds } from './cpu.ts'
import { notUnder } from './sql.ts'
import type { World } from './world.ts'

const READY_ROWS = 10_000

/** One run over the table. */
interface Round {
  readonly rowsPerSecond: number
  /** Microseconds of CPU, which tell more than time on a machine that does other things too. */
  readonly ownCpuUsPerRow: number
  readonly serverCpuUsPerRow: number
}

export interface Speed extends Round {
  readonly rounds: readonly Round[]
}

/** Medians, and what they are of. */
export interface SpeedFigures {
  readonly rows: number
  readonly drain: Speed
  /** The same reads and updates, with values made before and without cryptography. */
  readonly ceiling: Speed
  readonly verify: Speed
  readonly shareOfCeiling: number
}

/** How fast a table is drained and verified, in turn with the ceiling, so that a busy machine hits all of them. */
export async function speedFigures(
  world: World,
  rows: number,
  rounds: number,
  threads?: number,
): Promise<SpeedFigures> {
  const [ceilings, drains, verifies]: [Round[], Round[], Round[]] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    ceilings.push(await rewritten(world, rows, () => ceiling(world), 0))
    drains.push(await rewritten(world, rows, () => Promise.resolve(DRAIN), threads))
    verifies.push(
      await measured(world, rows, async () => {
        const { outcome } = await verify(world.config)
        if (outcome !== 'done') throw new Error('What was drained does not open.')
      }),
    )
    console.error(JSON.stringify([ceilings, drains, verifies].map((list) => list.at(-1))))
  }
  const [top, own] = [medianOf(ceilings), medianOf(drains)]
  const shareOfCeiling = own.rowsPerSecond / top.rowsPerSecond
  return { rows, drain: own, ceiling: top, verify: medianOf(verifies), shareOfCeiling }
}

function medianOf(rounds: readonly Round[]): Speed {
  const of = (name: keyof Round): number => {
    const values = rounds.map((round) => round[name]).toSorted((a, b) => a - b)
    return quantile(values, 0.5)
  }
  return {
    rowsPerSecond: of('rowsPerSecond'),
    ownCpuUsPerRow: of('ownCpuUsPerRow'),
    serverCpuUsPerRow: of('serverCpuUsPerRow'),
    rounds,
  }
}

/** Rotate, and move all rows. The pass after, which finds nothing, is part of it. */
async function rewritten(
  world: World,
  rows: number,
  made: () => Promise<Direction>,
  threads: number | undefined,
): Promise<Round> {
  await world.rotate()
  const direction = await made()
  await world.analyze()
  const options = { now: true, ...(threads === undefined ? {} : { threads }) }
  const round = await measured(world, rows, async () => {
    const { report } = await runDirection(world.config, direction, options)
    if (report.rows !== rows) throw new Error(`${report.rows} of ${rows} rows were rewritten.`)
  })
  const [left] = await world.client.$queryRawUnsafe(
    notUnder(world.provider, world.keyring.activeKeyId!),
  )
  if (Number(left.n) !== 0) throw new Error('Something is left.')
  return round
}

async function measured(world: World, rows: number, work: () => Promise<void>): Promise<Round> {
  const { port } = new URL(world.url)
  const [own, server, began] = [process.cpuUsage(), serverCpuSeconds(port), performance.now()]
  await work()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(own)
  return {
    rowsPerSecond: Math.round(rows / seconds),
    ownCpuUsPerRow: tenths((user + system) / rows),
    serverCpuUsPerRow: tenths(((serverCpuSeconds(port) - server) * 1e6) / rows),
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

/** A drain that opens and seals nothing. */
async function ceiling(world: World): Promise<Direction> {
  const made = await world.readyMade(READY_ROWS)
  return ceilingOf(DRAIN, ({ key, values: old }, row): SealedChange => {
    const { title, text } = made[Number(key[0]) % made.length]!
    return { row, key, old, next: [title, text] }
  })
}
