// node --expose-gc --import tsx src/profile.ts [--operation findMany|cold|findUnique|lookup|create|update|createMany|nothing|drain]
//   [--subject rowseal|plain|peer] [--database postgresql|sqlite] [--calls N] [--top N] [--area rowseal]
// A CPU profile of one operation, warmed up, summed up by where the time goes: µs of self time for each call, of a
// drain for each row.
import { Session } from 'node:inspector/promises'
import { parseArgs } from 'node:util'
import { drain } from '@rowseal/migrator'
import { fill, withoutDeks } from './fill.ts'
import { openWorld } from './migrator/world.ts'
import { summed, type Profile } from './profile-sum.ts'
import { person, sealedValues } from './schema.ts'
import { servers } from './servers.ts'
import { openSubjects } from './subjects.ts'

const { values: options } = parseArgs({
  options: {
    operation: { type: 'string', default: 'findMany' },
    /** Rows, for a drain. */
    calls: { type: 'string', default: '150' },
    subject: { type: 'string', default: 'rowseal' },
    database: { type: 'string', default: 'postgresql' },
    top: { type: 'string', default: '40' },
    /** Only functions whose area begins so, such as `rowseal`. */
    area: { type: 'string', default: '' },
  },
})
const calls = Number(options.calls)
const database = options.database as 'postgresql' | 'sqlite'

/** Profile some work, and print what it was made of. */
async function profiled(work: () => Promise<unknown>): Promise<void> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 100 })
  await session.post('Profiler.start')
  const began = performance.now()
  await work()
  const us = ((performance.now() - began) * 1000) / calls
  const { profile } = await session.post('Profiler.stop')
  const { operation, subject } = options
  console.log(`${subject}, ${operation} on ${database}: ${us.toFixed(1)} µs each\n`)
  console.log(summed(profile as Profile, calls, Number(options.top), options.area))
}

async function profileOperation(): Promise<void> {
  const stop = await servers()
  const subjects = await openSubjects(database)
  await fill(subjects, 1000)
  const db = (subjects as any)[options.subject]
  let next = 1_000_000
  const people = Array.from({ length: 1000 }, (_, i) => person(i))
  const findMany = (): Promise<unknown> =>
    db.person.findMany({ take: 1000, orderBy: { id: 'asc' } })
  const operations: Record<string, () => Promise<unknown>> = {
    findMany,
    cold: () => withoutDeks(subjects.keyring).then(findMany),
    findUnique: () => db.person.findUnique({ where: { id: (next++ % 1000) + 1 } }),
    lookup: () =>
      db.contact.findFirst({ where: { email: sealedValues((next++ % 1000) + 1).email } }),
    create: () => db.person.create({ data: { ...people[next % 1000], id: next++ } }),
    update: () =>
      db.person.update({ where: { id: (next % 1000) + 1 }, data: { email: `e${next++}` } }),
    createMany: () => db.person.createMany({ data: people.map((one) => ({ ...one, id: next++ })) }),
    nothing: () => db.country.findUnique({ where: { code: 'x' } }),
  }
  const run = operations[options.operation]!
  for (let i = 0; i < Math.min(calls, 300); i++) await run()
  await profiled(async () => {
    for (let i = 0; i < calls; i++) await run()
  })
  await subjects.close()
  await stop()
}

async function profileDrain(): Promise<void> {
  const world = await openWorld(database)
  await world.fill(calls)
  const once = async (): Promise<unknown> => drain(world.config, { now: true, threads: 0 })
  await world.rotate()
  await once()
  await world.rotate()
  await world.analyze()
  await profiled(once)
  await world.close()
}

await (options.operation === 'drain' ? profileDrain() : profileOperation())
process.exit(0)
