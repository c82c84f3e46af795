import { drain, init, rotate, verify } from '@rowseal/migrator'
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CONNECTIONS, openInstance, type Instance, type Spec } from './instance.ts'
import { Load } from './load.ts'
import { patientOf, PATIENTS, requestsOf } from './requests.ts'
import { sampleOf } from './sampling.ts'
import { TEXTS } from './schema.ts'

// The process under test: an application and the migrator beside it. It is not ended by `process.exit`: when all is
// closed nothing is left that keeps it alive.

const spec = JSON.parse(process.env['SOAK_SPEC']!) as Spec
const began = performance.now()
const minutes = (): number => (performance.now() - began) / 60_000
const tell = (line: object): void => appendFileSync(spec.file, `${JSON.stringify(line)}\n`)
const counts = { rotations: 0, drains: 0, drained: 0, samples: 0 }

/** Whole minutes: a rotation, a drain when reads have met some of what is stale, two samples. */
const ROUND_MS = 60_000
const DRAIN_AT_MS = 25_000
const SAMPLES_AT_MS = [42_000, 56_000]

async function fill({ config, prisma, base }: Instance): Promise<void> {
  await init(config)
  // A pool that grows in a late burst would look like one that loses connections. MariaDB's is opened whole.
  const wait = (): Promise<unknown> => base.$queryRawUnsafe('SELECT 1 FROM pg_sleep(1)')
  if (spec.provider === 'postgresql') await Promise.all(Array.from({ length: CONNECTIONS }, wait))
  for (let id = 0; id < PATIENTS; id++)
    await prisma.patient.create({ data: patientOf(id, id), select: { id: true } })
}

async function sample(instance: Instance, load: Load): Promise<void> {
  await load.pause()
  await instance.prisma.$rowseal.flush()
  tell({ at: 'sample', ...(await sampleOf(instance, spec.provider, minutes())) })
  counts.samples++
  load.resume()
}

async function round(instance: Instance, load: Load): Promise<void> {
  const start = performance.now()
  const until = (ms: number): Promise<void> => sleep(start + ms - performance.now())
  await rotate(instance.config)
  counts.rotations++
  await until(DRAIN_AT_MS)
  const report = await drain(instance.config, { now: true })
  counts.drains++
  counts.drained += report.rows
  for (const at of SAMPLES_AT_MS) {
    await until(at)
    await sample(instance, load)
  }
  await until(ROUND_MS)
}

/** Everything is stale, is read, and flushed: then nothing is. */
async function end(instance: Instance, load: Load): Promise<object> {
  const { config, prisma, base } = instance
  await load.stop()
  await prisma.$rowseal.flush()
  await rotate(config, { now: true })
  const patients = await prisma.patient.findMany({ include: { visits: true } })
  const { queued } = prisma.$rowseal.stats().reencryption
  const isFlushed: boolean = await prisma.$rowseal.flush({ timeoutMs: 60_000 })
  const { reencryption, keyrings } = prisma.$rowseal.stats()
  const stale = await staleIn(instance)
  const { bad, badIndexes, outcome } = await verify(config)
  await base.$disconnect()
  return {
    ...{ patients: patients.length, queued, isFlushed, left: reencryption.queued, stale },
    ...{ verified: outcome, bad, badIndexes, reencryption },
    ...{ wraps: keyrings.default.wraps, unwraps: keyrings.default.unwraps },
  }
}

/** Values of text that are not under the active key. */
async function staleIn({ base, config }: Instance): Promise<number> {
  const { activeKeyId } = config.keyring as { activeKeyId: number }
  const prefix = `rs1.${activeKeyId.toString(16).padStart(8, '0')}.%`
  const quote = spec.provider === 'mysql' ? '`' : '"'
  let stale = 0
  for (const [table, column] of TEXTS) {
    const [{ n }] = await base.$queryRawUnsafe(
      `SELECT count(*) AS n FROM ${quote}${table}${quote} WHERE ${quote}${column}${quote} NOT LIKE '${prefix}'`,
    )
    stale += Number(n)
  }
  return stale
}

const instance = await openInstance(spec)
await fill(instance)
const load = new Load(requestsOf(instance, spec.seed), spec.rate, spec.seed)
load.resume()
while (minutes() < spec.minutes) await round(instance, load)
const ended = await end(instance, load)
const { user, system } = process.cpuUsage()
tell({
  ...{ at: 'end', ms: Date.now(), minutes: minutes(), ...counts, ...load.counts, ended },
  cores: (user + system) / 1000 / (performance.now() - began),
})
