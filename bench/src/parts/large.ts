import { rowseal } from '@rowseal/prisma-extension'
import { interleave, measurement, type Measurement } from '../measure.ts'
import { LARGE_SCHEMA, sealedValues } from '../schema.ts'
import { openSubjects } from '../subjects.ts'
import type { Effort } from './operations.ts'

const ROWS = 100
const SUBJECTS = ['plain', 'empty', 'rowseal', 'peer'] as const

/** A schema of eighty models, all related, of which every tenth has three sealed fields. */
export async function large({ isQuick, rounds }: Effort): Promise<Measurement[]> {
  const subjects = await openSubjects('sqlite', LARGE_SCHEMA)
  const { base, plan, keyring } = subjects
  try {
    const data = Array.from({ length: ROWS }, (_, i) => ({ id: i + 1, ...sealedValues(i + 1) }))
    for (const db of ['plain', 'rowseal', 'peer'] as const)
      for (const model of ['m0', 'm1']) await subjects[db][model].createMany({ data })
    const find = async (name: string, model: string): Promise<Measurement> => {
      const calls = Object.fromEntries(
        SUBJECTS.map((subject) => {
          const delegate = subjects[subject][model]
          const run = (i: number): unknown => delegate.findUnique({ where: { id: (i % ROWS) + 1 } })
          return [subject, { run }]
        }),
      )
      const times = await interleave(calls, { rounds, warmUp: 3, calls: isQuick ? 60 : 200 })
      return measurement({ name, database: 'sqlite' }, times)
    }
    const applied = await interleave(
      { rowseal: { run: () => base.$extends(rowseal({ plan, keyring })) } },
      { rounds, warmUp: 2, calls: 5 },
    )
    return [
      await find('80 models: findUnique, three encrypted fields', 'm0'),
      await find('80 models: findUnique, model with nothing encrypted', 'm1'),
      measurement({ name: '80 models: $extends' }, applied),
    ]
  } finally {
    await subjects.close()
  }
}
