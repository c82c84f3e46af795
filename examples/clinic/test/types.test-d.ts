import { openKeyring, rowseal } from '@rowseal/prisma-extension'
import { memoryKeyStore } from '@rowseal/prisma-extension/stores/memory'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { expectTypeOf } from 'vitest'
import type { PrismaClient } from '../generated/sqlite/prisma/client.ts'
import { plan } from '../generated/sqlite/rowseal.ts'

/** Checked by `npm run typecheck`, never run: the extended client keeps Prisma's types exactly. */
declare const client: PrismaClient
const keyring = await openKeyring({ root: localRootKey({ env: 'X' }), store: memoryKeyStore() })
const prisma = client.$extends(rowseal({ plan, keyring }))

export async function types(): Promise<void> {
  const args = {
    where: { id: '' },
    select: { name: true, encounters: { select: { id: true } } },
  } as const
  const sealed = await prisma.patient.findUnique(args)
  const plain = await client.patient.findUnique(args)
  expectTypeOf(sealed).toEqualTypeOf(plain)

  expectTypeOf(await prisma.patient.findMany({ omit: { name: true } })).toEqualTypeOf(
    await client.patient.findMany({ omit: { name: true } }),
  )
  // @ts-expect-error name is a string
  await prisma.patient.update({ where: { id: '' }, data: { name: 5 } })
  // @ts-expect-error there is no such field
  await prisma.patient.findMany({ select: { nothing: true } })

  await prisma.$transaction(async (tx) => {
    expectTypeOf(await tx.patient.findUnique(args)).toEqualTypeOf(plain)
    expectTypeOf(tx.$rowseal.flush).toEqualTypeOf(prisma.$rowseal.flush)
  })
  const [first, second] = await prisma.$transaction([
    prisma.patient.count(),
    prisma.patient.findUnique(args),
  ])
  expectTypeOf(first).toBeNumber()
  expectTypeOf(second).toEqualTypeOf(plain)

  await prisma.$rowseal.seal('Patient.name', 'a')
  // @ts-expect-error not a sealed field
  await prisma.$rowseal.seal('Patient.id', 'a')
  // @ts-expect-error no such model
  await prisma.$rowseal.open('Nobody.email', 'a')
  expectTypeOf(await prisma.$rowseal.flush()).toBeBoolean()
}
