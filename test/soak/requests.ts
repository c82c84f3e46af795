import { randomOf } from '../../packages/migrator/test/kills/random.ts'
import type { Instance } from './instance.ts'

export const PATIENTS = 600
const VISITS = 2
/** Ids of visits that `createMany` makes and removes. */
const MANY = 20
const MANY_FROM = 1_000_000

/** What an application asks, by what it is called. Each rejects if it fails or gives what was not written. */
export type Requests = Readonly<Record<Kind, () => Promise<unknown>>>
type Kind = (typeof WEIGHTS)[number][1]

const WEIGHTS = [
  [18, 'read with visits'],
  [6, 'page'],
  [12, 'find by email'],
  [8, 'find by telephones'],
  [4, 'count by telephone'],
  [18, 'update'],
  [6, 'update nested'],
  [6, 'upsert'],
  [5, 'update many'],
  [6, 'replace'],
  [3, 'create many'],
] as const

/** Each kind as often as it has weight. */
export const REQUESTS: readonly Kind[] = WEIGHTS.flatMap(([weight, kind]) =>
  Array.from({ length: weight }, () => kind),
)

const emailOf = (id: number): string => `User${id}@example.org`
const phoneOf = (id: number): string => `+49 30 ${100_000 + id}`

const withoutVisits = (id: number, version: number): any => ({
  ...{ id, name: `patient ${id}`, email: emailOf(id), phone: phoneOf(id) },
  scan: Buffer.alloc(200, version),
})

/** The patient with its visits, as `create` takes it. `version` tells one write from the next. */
export function patientOf(id: number, version: number): any {
  return {
    ...withoutVisits(id, version),
    visits: {
      create: Array.from({ length: VISITS }, (_, i) => visitOf(id * VISITS + i, version)),
    },
  }
}

const visitOf = (id: number, version: number): any => ({
  ...{ id, summary: `visit ${id}, version ${version}` },
  notes: { version, text: 'x'.repeat(version % 300), list: [1, null, 'two'] },
})

/** @throws {Error} what a value that was read says that nobody wrote. */
function check(patient: any): void {
  const { id, email, phone, visits = [] } = patient
  const isRight =
    email === emailOf(id) &&
    phone === phoneOf(id) &&
    visits.every((visit: any) => visit.summary.startsWith(`visit ${visit.id}, `))
  if (!isRight)
    throw Object.assign(new Error('A value is not what was written.'), { code: 'WRONG' })
}

function checkAll(patients: readonly any[], least: number): void {
  if (patients.length < least)
    throw Object.assign(new Error('A row was missed.'), { code: 'MISSED' })
  patients.forEach(check)
}

export function requestsOf({ prisma }: Instance, seed: number): Requests {
  const random = randomOf(seed + 1)
  let version = 0
  const next = (): number => ++version % 1000
  const some = (): number => Math.floor(random() * PATIENTS)
  const read = { id: true, email: true, phone: true }
  const replace = async (tx: any, id: number): Promise<void> => {
    await tx.patient.delete({ where: { id }, select: { id: true } })
    await tx.patient.create({ data: patientOf(id, next()), select: { id: true } })
  }
  const createMany = async (tx: any): Promise<void> => {
    const from = MANY_FROM + MANY * some()
    await tx.visit.deleteMany({ where: { id: { gte: from, lt: from + MANY } } })
    const data = Array.from({ length: MANY }, (_, i) => {
      return { ...visitOf(from + i, next()), patientId: some() }
    })
    await tx.visit.createMany({ data })
    await tx.visit.deleteMany({ where: { id: { gte: from, lt: from + MANY } } })
  }
  const updateNested = (id: number): Promise<unknown> => {
    const { summary, notes } = visitOf(id * VISITS, next())
    const visit = { where: { id: id * VISITS }, data: { summary, notes } }
    const data = { scan: Buffer.alloc(100, version), visits: { update: visit } }
    return prisma.patient.update({ where: { id }, data, select: read })
  }
  const upsert = (id: number): Promise<unknown> => {
    const create = withoutVisits(id, next())
    return prisma.patient.upsert({ where: { id }, create, update: create, select: read })
  }
  const phones = (): string[] => [phoneOf(some()), phoneOf(some()), phoneOf(some())]
  const find = prisma.patient
  return {
    'read with visits': async () =>
      check(await find.findUniqueOrThrow({ where: { id: some() }, include: { visits: true } })),
    page: async () =>
      checkAll(await find.findMany({ where: { id: { gte: some() } }, take: 20 }), 1),
    'find by email': async () =>
      check(await find.findFirstOrThrow({ where: { email: emailOf(some()).toUpperCase() } })),
    'find by telephones': async () =>
      checkAll(await find.findMany({ where: { phone: { in: phones() } }, select: read }), 1),
    'count by telephone': () => find.count({ where: { phone: phoneOf(some()) } }),
    update: () => {
      const id = some()
      const data = { email: emailOf(id), phone: phoneOf(id), scan: Buffer.alloc(300, next()) }
      return find.update({ where: { id }, data, select: read })
    },
    'update nested': () => updateNested(some()),
    upsert: () => upsert(some()),
    'update many': () =>
      find.updateMany({
        where: { id: { in: [some(), some(), some()] } },
        data: { scan: Buffer.alloc(150, next()) },
      }),
    replace: () => prisma.$transaction((tx: any) => replace(tx, some())),
    'create many': () => prisma.$transaction((tx: any) => createMany(tx)),
  }
}
