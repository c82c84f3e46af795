import { rowseal } from '@rowseal/prisma-extension'
import { initKeyring, openKeyring, type Keyring } from '@rowseal/prisma-extension/keys'
import { awsKms } from '@rowseal/prisma-extension/providers/aws-kms'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient } from '@rowseal/test-support'
import { startKmsProcess, type KmsProcess } from '../kms-process.ts'
import { measurement, type Measurement } from '../measure.ts'
import { person, SCHEMA } from '../schema.ts'
import type { Effort } from './operations.ts'

const KMS_MS = 20
const ROWS = 1_000
const HOW = { kek: 'one key version wraps them', kms: 'the KMS wraps each' } as const

type Wrapping = keyof typeof HOW

/** Calls of a KMS that takes 20 ms to answer, and what an operation takes with them. */
export async function kmsCalls({ isQuick }: Effort): Promise<Measurement[]> {
  const kms = await startKmsProcess()
  try {
    const lines: Measurement[] = []
    for (const wrapping of ['kek', 'kms'] as const)
      lines.push(...(await callsWith(kms, wrapping, isQuick ? 3 : 9)))
    return lines
  } finally {
    kms.stop()
  }
}

async function callsWith(
  kms: KmsProcess,
  wrapping: Wrapping,
  rounds: number,
): Promise<Measurement[]> {
  const { PrismaClient, plan, ddl } = await generatedClient({
    provider: 'postgresql',
    schema: SCHEMA,
  })
  const db = await database('postgresql')
  await db.exec(ddl)
  const base = new PrismaClient({ adapter: db.adapter() })
  const root = awsKms({
    keyId: kms.alias,
    region: kms.region,
    endpoint: kms.url,
    clientConfig: { credentials: { accessKeyId: 'bench', secretAccessKey: 'none' } },
  })
  const keyring = await openKeyring({ root, store: sqlKeyStore(base), wrapping })
  await initKeyring(keyring)
  const prisma: any = base.$extends(rowseal({ plan, keyring }))
  await prisma.person.createMany({ data: Array.from({ length: ROWS }, (_, i) => person(i + 1)) })
  await kms.answerIn(KMS_MS)
  const lines: Measurement[] = []
  for (const operation of operationsOn(prisma, keyring, wrapping))
    lines.push(...(await counted(kms, wrapping, rounds, operation)))
  await kms.answerIn(0)
  await base.$disconnect()
  await db.drop()
  return lines
}

interface Counted {
  readonly name: string
  readonly prepare: () => unknown
  readonly run: () => Promise<unknown>
  readonly calls?: number
}

function operationsOn(prisma: any, keyring: Keyring, wrapping: Wrapping): Counted[] {
  const cold = (): void => keyring.forget()
  const warm = (): undefined => undefined
  const one = (): Promise<unknown> => prisma.person.findUnique({ where: { id: 1 } })
  let next = 10_000
  return [
    { name: 'findUnique, cold', prepare: cold, run: one },
    { name: 'findUnique, warm', prepare: warm, run: one },
    {
      name: 'create, warm',
      prepare: warm,
      run: () => prisma.person.create({ data: person(next++) }),
    },
    {
      name: 'findMany 100, cold',
      prepare: cold,
      run: () => prisma.person.findMany({ take: 100, orderBy: { id: 'asc' } }),
    },
    {
      name: '1,000 cold reads at once of one record',
      prepare: cold,
      run: () =>
        Promise.all(
          Array.from({ length: 1000 }, () => prisma.person.findFirst({ where: { id: 1 } })),
        ),
      // Where the KMS wraps each DEK: one more, for the record's.
      calls: wrapping === 'kek' ? 1 : 2,
    },
    {
      name: '1,000 cold reads at once of 1,000 records',
      prepare: cold,
      run: () =>
        Promise.all(
          Array.from({ length: 1000 }, (_, i) => prisma.person.findFirst({ where: { id: i + 1 } })),
        ),
    },
  ]
}

async function counted(
  kms: KmsProcess,
  wrapping: Wrapping,
  rounds: number,
  { name, prepare, run, calls: aimed }: Counted,
): Promise<Measurement[]> {
  const [calls, times]: [number[], number[]] = [[], []]
  await run()
  for (let round = 0; round < rounds; round++) {
    await prepare()
    await kms.forget()
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
    calls.push(await kms.count())
  }
  const label = `${name}; ${HOW[wrapping]}`
  const aim =
    aimed === undefined
      ? {}
      : {
          target: aimed === 1 ? '1 KMS call' : `${aimed} KMS calls`,
          isMet: ({ rowseal: n }: Measurement) => n === aimed,
        }
  return [
    measurement({ name: `KMS calls: ${label}`, unit: 'calls', ...aim }, { rowseal: calls }),
    measurement({ name: `KMS in ${KMS_MS} ms: ${label}`, unit: 'ms' }, { rowseal: times }),
  ]
}
