import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { collectYoung, interleave, measurement, type Measurement, type Times } from '../measure.ts'
import { fill, storedIn } from '../fill.ts'
import { floorClient, openWarm, sealRecords } from '../floor.ts'
import { person } from '../schema.ts'
import type { Subjects } from '../subjects.ts'
import type { Effort } from './operations.ts'

const REQUESTS = 32
const ROWS = 10_000
/** Rounds of 1,600 calls before the first that counts: see `parts/operations.ts`. */
const WARM_UP = 4

/** Many requests at once, and how long others wait while one reads much. */
export async function load(subjects: Subjects, effort: Effort): Promise<Measurement[]> {
  await fill(subjects, ROWS)
  const { people } = await storedIn(subjects)
  let next = 5_000_000
  const sealed = (id: number, subject: string): object =>
    subject === 'floor' ? people[id % people.length]! : {}
  return [
    await throughput(subjects, effort, {
      name: 'findUnique',
      crypto: () => openWarm(1),
      call: (db, i) => db.person.findUnique({ where: { id: ((i * 7919) % ROWS) + 1 } }),
    }),
    await throughput(subjects, effort, {
      name: 'create',
      crypto: () => sealRecords(1),
      call: (db, _, subject) =>
        db.person.create({ data: { ...person(++next), ...sealed(next, subject) } }),
    }),
    await eventLoopDelay(subjects, effort),
  ]
}

interface Request {
  readonly name: string
  readonly crypto: () => void
  readonly call: (db: any, i: number, subject: string) => Promise<unknown>
}

async function throughput(
  subjects: Subjects,
  { isQuick, rounds }: Effort,
  { name, crypto, call }: Request,
): Promise<Measurement> {
  const { plain, empty, rowseal, peer, base } = subjects
  const clients = { plain, empty, rowseal, peer, floor: floorClient(base, crypto) }
  const calls = isQuick ? 320 : 1600
  const atOnce = async (subject: string, db: any): Promise<void> => {
    let left = calls
    const request = async (): Promise<void> => {
      while (left > 0) await call(db, left--, subject)
    }
    await Promise.all(Array.from({ length: REQUESTS }, request))
  }
  const runs = Object.entries(clients).map(([subject, db]) => [
    subject,
    { run: () => atOnce(subject, db) },
  ])
  const warmUp = isQuick ? 1 : WARM_UP
  const times = await interleave(Object.fromEntries(runs), { rounds, warmUp, calls: 1 })
  const perSecond = (ms: number): number => (calls * 1000) / ms
  const rates = Object.entries(times).map(([subject, list]) => [subject, list.map(perSecond)])
  return measurement(
    {
      name: `${name}, ${REQUESTS} requests at once`,
      database: subjects.provider,
      unit: 'calls/s',
    },
    Object.fromEntries(rates) as Times,
  )
}

/**
 * How long the event loop is held up, 99th percentile of all its turns while 10,000 rows are read. The floor: by
 * Prisma alone, of the sealed values as they are.
 */
async function eventLoopDelay(subjects: Subjects, { rounds }: Effort): Promise<Measurement> {
  const { plain, base: floor, rowseal, peer } = subjects
  const clients = Object.entries({ plain, floor, rowseal, peer })
  const delays: Record<string, number[]> = Object.fromEntries(clients.map(([name]) => [name, []]))
  for (let round = -2; round < rounds; round++) {
    for (const [name, client] of clients) {
      collectYoung()
      const delay = await delayDuring(() =>
        client.person.findMany({ take: ROWS, orderBy: { id: 'asc' } }),
      )
      if (round >= 0) delays[name]!.push(delay)
    }
  }
  return measurement(
    {
      name: 'event-loop delay, p99, during findMany 10,000',
      database: subjects.provider,
      ...(subjects.provider === 'postgresql'
        ? { target: '≤ 25 ms', isMet: ({ rowseal }) => rowseal! <= 25 }
        : {}),
    },
    delays,
  )
}

async function delayDuring(work: () => Promise<unknown>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await sleep(5)
  histogram.reset()
  await work()
  // What ran until now is noted at the next turn of the timer.
  await turn()
  await sleep(5)
  histogram.disable()
  return histogram.percentile(99) / 1e6
}
