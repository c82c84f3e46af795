import { readReplicas } from '@prisma/extension-read-replicas'
import { rowseal, type Keyring } from '@rowseal/prisma-extension'
import { expectTypeOf } from 'vitest'
import { Prisma, PrismaClient } from './client/client.ts'
import { plan } from './rowseal.ts'

/** Copied beside each generated client and compiled there, never run: the extended client keeps Prisma's types. */
declare const keyring: Keyring
declare const adapter: Prisma.PrismaClientOptions['adapter'] & object
declare const client: PrismaClient
const prisma = client.$extends(rowseal({ plan, keyring }))
const replicated = prisma.$extends(readReplicas({ replicas: [client] }))

const where = { id: '' }
const select = {
  email: true,
  ward: { select: { code: true } },
  visits: { select: { finding: true }, where: { day: 1 } },
} satisfies Prisma.PatientSelect
const include = {
  ward: true,
  visits: { include: { patient: true } },
} satisfies Prisma.PatientInclude
const omit = { email: true, notes: true } satisfies Prisma.PatientOmit
const data = { name: '', email: '' }

/** The same calls on any client. */
const calls = {
  selected: () => client.patient.findUnique({ where, select }),
  included: () => client.patient.findUniqueOrThrow({ where, include }),
  omitted: () => client.patient.findMany({ omit }),
  whole: () => client.patient.findFirst(),
  created: () => client.patient.create({ data, select }),
  many: () => client.patient.createManyAndReturn({ data: [data], omit }),
  updated: () => client.patient.update({ where, data, include }),
  upserted: () => client.patient.upsert({ where, create: data, update: data, select }),
  counted: () => client.patient.count({ select: { email: true, _all: true } }),
  aggregated: () => client.visit.aggregate({ _max: { day: true }, _count: { finding: true } }),
  grouped: () => client.patient.groupBy({ by: ['name'], _count: { email: true } }),
  fluent: () => client.patient.findUnique({ where }).ward(),
  deep: () => client.patient.findUnique({ where }).ward().patients({ select }),
}

export async function results(): Promise<void> {
  for (const one of [prisma, replicated] as const) {
    expectTypeOf(await one.patient.findUnique({ where, select })).toEqualTypeOf(
      await calls.selected(),
    )
    expectTypeOf(await one.patient.findUniqueOrThrow({ where, include })).toEqualTypeOf(
      await calls.included(),
    )
  }
  expectTypeOf(await prisma.patient.findUnique({ where, select })).toEqualTypeOf(
    await calls.selected(),
  )
  expectTypeOf(await prisma.patient.findUniqueOrThrow({ where, include })).toEqualTypeOf(
    await calls.included(),
  )
  expectTypeOf(await prisma.patient.findMany({ omit })).toEqualTypeOf(await calls.omitted())
  expectTypeOf(await prisma.patient.findFirst()).toEqualTypeOf(await calls.whole())
  expectTypeOf(await prisma.patient.create({ data, select })).toEqualTypeOf(await calls.created())
  expectTypeOf(await prisma.patient.createManyAndReturn({ data: [data], omit })).toEqualTypeOf(
    await calls.many(),
  )
  expectTypeOf(await prisma.patient.update({ where, data, include })).toEqualTypeOf(
    await calls.updated(),
  )
  expectTypeOf(
    await prisma.patient.upsert({ where, create: data, update: data, select }),
  ).toEqualTypeOf(await calls.upserted())
  expectTypeOf(await prisma.patient.count({ select: { email: true, _all: true } })).toEqualTypeOf(
    await calls.counted(),
  )
  expectTypeOf(
    await prisma.visit.aggregate({ _max: { day: true }, _count: { finding: true } }),
  ).toEqualTypeOf(await calls.aggregated())
  expectTypeOf(
    await prisma.patient.groupBy({ by: ['name'], _count: { email: true } }),
  ).toEqualTypeOf(await calls.grouped())
  expectTypeOf(await prisma.patient.findUnique({ where }).ward()).toEqualTypeOf(
    await calls.fluent(),
  )
  expectTypeOf(
    await prisma.patient.findUnique({ where }).ward().patients({ select }),
  ).toEqualTypeOf(await calls.deep())
  expectTypeOf(
    await replicated.patient.findUnique({ where }).ward().patients({ select }),
  ).toEqualTypeOf(await calls.deep())
}

export async function transactions(): Promise<void> {
  await prisma.$transaction(
    async (tx) => {
      expectTypeOf(await tx.patient.findUnique({ where, select })).toEqualTypeOf(
        await calls.selected(),
      )
      expectTypeOf(tx.$rowseal).toEqualTypeOf(prisma.$rowseal)
      // @ts-expect-error not a field
      await tx.patient.findMany({ select: { nothing: true } })
    },
    { timeout: 1, isolationLevel: 'Serializable' },
  )
  const batch = await prisma.$transaction([
    prisma.patient.findUnique({ where, select }),
    prisma.patient.count(),
    prisma.$queryRaw<{ n: number }[]>`SELECT 1 AS n`,
  ])
  expectTypeOf(batch[0]).toEqualTypeOf(await calls.selected())
  expectTypeOf(batch[1]).toBeNumber()
  expectTypeOf(batch[2]).toEqualTypeOf<{ n: number }[]>()
  const other = await replicated.$transaction([replicated.patient.findMany({ omit })])
  expectTypeOf(other[0]).toEqualTypeOf(await calls.omitted())
}

export function argumentsOfOperations(): void {
  type Plain = typeof client.patient
  type Sealed = typeof prisma.patient
  expectTypeOf<Prisma.Args<Sealed, 'findMany'>>().toEqualTypeOf<Prisma.Args<Plain, 'findMany'>>()
  expectTypeOf<Prisma.Args<Sealed, 'upsert'>>().toEqualTypeOf<Prisma.Args<Plain, 'upsert'>>()
  expectTypeOf<Prisma.Args<Sealed, 'groupBy'>>().toEqualTypeOf<Prisma.Args<Plain, 'groupBy'>>()
  expectTypeOf<Prisma.Result<Sealed, { select: typeof select }, 'findFirst'>>().toEqualTypeOf<
    Prisma.Result<Plain, { select: typeof select }, 'findFirst'>
  >()
  expectTypeOf<keyof typeof prisma>().toEqualTypeOf<
    Exclude<keyof typeof client, '$on'> | '$rowseal'
  >()
  expectTypeOf<keyof typeof prisma.patient>().toEqualTypeOf<keyof typeof client.patient>()
}

export async function wrong(): Promise<void> {
  // @ts-expect-error email is a string
  await prisma.patient.update({ where, data: { email: 5 } })
  // @ts-expect-error email is required
  await prisma.patient.create({ data: { name: '' } })
  // @ts-expect-error there is no such field
  await prisma.patient.findMany({ where: { nothing: '' } })
  // @ts-expect-error there is no such model
  await prisma.nobody.findMany()
  // @ts-expect-error email is not in the result
  ;(await prisma.patient.findFirstOrThrow({ select: { name: true } })).email
  // @ts-expect-error an extended client has no $on
  prisma.$on('query', () => undefined)
}

type Names =
  'Ward.code' | `Patient.${'email' | 'phone' | 'notes' | 'scan'}` | 'Visit.finding' | 'Letter.text'

export async function rowsealMethods(): Promise<void> {
  const { $rowseal } = prisma
  expectTypeOf<Parameters<typeof $rowseal.seal>[0]>().toEqualTypeOf<Names>()
  expectTypeOf<Parameters<typeof $rowseal.open>[0]>().toEqualTypeOf<Names>()
  expectTypeOf(replicated.$rowseal).toEqualTypeOf(prisma.$rowseal)
  expectTypeOf(await $rowseal.seal('Patient.email', '')).toEqualTypeOf<string | Uint8Array>()
  expectTypeOf(await $rowseal.open('Patient.scan', null)).toBeUnknown()
  expectTypeOf(await $rowseal.flush({ timeoutMs: 1 })).toBeBoolean()
  expectTypeOf($rowseal.stats().reencryption.done).toBeNumber()
  // @ts-expect-error not an encrypted field
  await $rowseal.seal('Patient.name', '')
  // @ts-expect-error there is no such model
  await $rowseal.seal('Nobody.email', '')
  // @ts-expect-error there is no such field
  await $rowseal.open('Patient.nothing', '')
  // @ts-expect-error this schema has no blind index
  await $rowseal.index('Patient.email', '')
}

export async function otherExtensions(): Promise<void> {
  const result = {
    patient: {
      card: { needs: { email: true }, compute: ({ email }: { email: string }) => `<${email}>` },
    },
  } as const
  const before = client.$extends({ result }).$extends(rowseal({ plan, keyring }))
  const after = prisma.$extends({ result })
  expectTypeOf(
    (await before.patient.findFirstOrThrow({ select: { card: true } })).card,
  ).toBeString()
  expectTypeOf((await after.patient.findFirstOrThrow()).card).toBeString()
  expectTypeOf(before.$rowseal).toEqualTypeOf(prisma.$rowseal)
  const methods = prisma.$extends({ model: { $allModels: { answer: () => 42 } } })
  expectTypeOf(methods.ward.answer()).toBeNumber()
  const omitting = new PrismaClient({ adapter, omit: { ward: { floor: true } } })
  const sealed = omitting.$extends(rowseal({ plan, keyring }))
  expectTypeOf(await sealed.ward.findFirst()).toEqualTypeOf(await omitting.ward.findFirst())
  // @ts-expect-error floor is omitted
  ;(await sealed.ward.findFirstOrThrow()).floor
}

export function options(): void {
  rowseal({ plan, keyring: [keyring], reencryption: { concurrency: 1 } })
  rowseal({ plan, keyring, reencryption: false })
  // @ts-expect-error a keyring is needed
  rowseal({ plan })
  // @ts-expect-error no such option
  rowseal({ plan, keyring, lazy: true })
  // @ts-expect-error not a plan
  rowseal({ plan: {}, keyring })
}
