import { status } from '@rowseal/migrator'
import { isDeepStrictEqual } from 'node:util'
import type * as App from '../../src/db.ts'
import { fails, passes, type Check } from '../checks.ts'
import { count } from '../print.ts'
import type { Site } from '../site.ts'
import { freshness, printFreshness } from '../status-table.ts'

export interface Lazy {
  readonly rowsRead: number
  readonly rowsFresh: number
  readonly check: Check
}

/** Primary keys of the two tables that this step reads. */
interface Rows {
  readonly patients: readonly string[]
  readonly encounters: readonly number[]
}

/** Read some patients with their encounters. What was stale is re-encrypted behind the reads. */
export async function readSome(site: Site, keyId: number): Promise<Lazy> {
  const { app, config, options, print } = site
  const patients = Math.min(500, Math.floor(options.patients / 4))
  print.heading(5, `Read ${count(patients)} patients with their encounters`)
  const read = await readPatients(app, patients)
  if (options.breaks.includes('fresh')) await app.prisma.document.findFirst()
  await app.prisma.$rowseal.flush()
  const { done } = app.prisma.$rowseal.stats().reencryption
  print.line(`   ${count(lengthOf(read))} rows read, ${count(done)} re-encrypted in the background`)
  const report = await status(config)
  printFreshness(report, print)
  const fresh = await rowsUnder(app, keyId)
  const others = freshness(report).filter(({ model }) => !['Patient', 'Encounter'].includes(model))
  const isExact = isDeepStrictEqual(fresh, read) && others.every((other) => other.fresh === 0)
  return {
    rowsRead: lengthOf(read),
    rowsFresh: lengthOf(fresh),
    check: isExact
      ? passes('fresh', `the ${count(done)} rows that were read, and no other, became fresh`)
      : fails('fresh', 'other rows became fresh than those that were read'),
  }
}

async function readPatients({ prisma }: typeof App, take: number): Promise<Rows> {
  const read = await prisma.patient.findMany({
    take,
    orderBy: { number: 'asc' },
    include: { encounters: { orderBy: { id: 'asc' } } },
  })
  return {
    patients: read.map(({ id }) => id),
    encounters: read.flatMap(({ encounters }) => encounters.map(({ id }) => id)),
  }
}

/** The rows that are sealed under a key version: the first characters of their values say so. */
async function rowsUnder({ client }: typeof App, keyId: number): Promise<Rows> {
  const prefix = `rs1.${keyId.toString(16).padStart(8, '0')}.`
  const patients = await client.$queryRawUnsafe<{ id: string }[]>(
    `SELECT "id" FROM "Patient" WHERE substr("name", 1, 13) = '${prefix}' ORDER BY "number"`,
  )
  const encounters = await client.$queryRawUnsafe<{ id: number | bigint }[]>(
    `SELECT e."id" FROM "Encounter" e JOIN "Patient" p ON p."id" = e."patientId"
     WHERE substr(e."diagnosis", 1, 13) = '${prefix}' ORDER BY p."number", e."id"`,
  )
  return {
    patients: patients.map(({ id }) => id),
    encounters: encounters.map(({ id }) => Number(id)),
  }
}

function lengthOf({ patients, encounters }: Rows): number {
  return patients.length + encounters.length
}
