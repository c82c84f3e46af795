// node --expose-gc --import tsx src/stages.ts [--operation findUnique|create|update] [--rows 1000] [--database postgresql|sqlite]
// Where the time of an operation goes that waits for a database in between: until the query is sent, until it is
// answered, until the caller has the record. A hook around the one that is looked at takes the time, and one within.
import { rowseal } from '@rowseal/prisma-extension'
import { parseArgs } from 'node:util'
import { fill, storedIn } from './fill.ts'
import { floorHook, openWarm, sealRecords } from './floor.ts'
import { collectYoung, quantile } from './measure.ts'
import { person, sealedValues } from './schema.ts'
import { servers } from './servers.ts'
import { EMPTY_HOOK, openSubjects, type Provider } from './subjects.ts'

const { values: options } = parseArgs({
  options: {
    operation: { type: 'string', default: 'findUnique' },
    /** Read in turn: of more than 4,096, no key is kept ready. */
    rows: { type: 'string', default: '1000' },
    database: { type: 'string', default: 'postgresql' },
  },
})
const rows = Number(options.rows)
const CALLS = 200
const WARM_UP = 25
const ROUNDS = 15

const times = { begun: 0, sent: 0, answered: 0 }

const outside = hook(async (args, query) => {
  times.begun = performance.now()
  return query(args)
})
const inside = hook(async (args, query) => {
  times.sent = performance.now()
  const result = await query(args)
  times.answered = performance.now()
  return result
})

function hook(run: (args: unknown, query: (args: unknown) => unknown) => unknown): object {
  return { query: { $allModels: { $allOperations: ({ args, query }: any) => run(args, query) } } }
}

const stop = await servers()
const subjects = await openSubjects(options.database as Provider)
await fill(subjects, rows)
const { base, plan, keyring } = subjects
const { people } = await storedIn(subjects)
const isRead = options.operation === 'findUnique'
const between = {
  nothing: EMPTY_HOOK,
  floor: floorHook(() => (isRead ? openWarm(1) : sealRecords(1))),
  rowseal: rowseal({ plan, keyring }),
}
const clients = Object.entries<any>(between).map(([name, extension]) => ({
  name,
  client: base.$extends(outside).$extends(extension).$extends(inside),
  rounds: [] as number[][],
}))
/** Only Rowseal is given values in the clear. */
const values = (id: number, name: string): object =>
  name === 'rowseal' ? sealedValues(id) : people[id % people.length]!
const operations: Record<string, (db: any, i: number, name: string) => Promise<unknown>> = {
  findUnique: (db, i) => db.person.findUnique({ where: { id: at(i) } }),
  update: (db, i, name) => db.person.update({ where: { id: at(i) }, data: values(i, name) }),
  create: (db, i, name) =>
    db.person.create({ data: { ...person(1_000_000 + i), ...values(i, name) } }),
}
const at = (i: number): number => ((i * 7919) % rows) + 1
const run = operations[options.operation]!
let next = 0
for (let round = -WARM_UP; round < ROUNDS; round++) {
  for (const { name, client, rounds } of clients) {
    collectYoung()
    const sum = [0, 0, 0]
    for (let i = 0; i < CALLS; i++) {
      await run(client, next++, name)
      const done = performance.now()
      const { begun, sent, answered } = times
      for (const [at, ms] of [sent - begun, answered - sent, done - answered].entries()) {
        sum[at]! += (ms * 1000) / CALLS
      }
    }
    if (round >= 0) rounds.push(sum)
  }
}
console.log(
  `µs of one ${options.operation}, ${rows} rows, ${options.database}, Node ${process.versions.node}`,
)
for (const { name, rounds } of clients) {
  const [before, database, after] = [0, 1, 2].map((at) => {
    const sorted = rounds.map((sum) => sum[at]!).sort((a, b) => a - b)
    return quantile(sorted, 0.5).toFixed(0)
  })
  console.log(`${name.padEnd(8)} before ${before}, database ${database}, after ${after}`)
}
await subjects.close()
await stop()
process.exit(0)
