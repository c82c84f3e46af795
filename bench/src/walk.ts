import { runOperation } from '../../packages/prisma-extension/dist/client/operation.js'
import { compile } from '../../packages/prisma-extension/dist/query/index.js'
import { definePlan } from '@rowseal/prisma-extension/plan'
import { quantile, type Figure } from './measure.ts'

/**
 * What the hook costs beside Prisma's own: arguments and results walked, no database, no cipher. The schema's
 * models are all related, every tenth has a sealed field, so that each of them reaches one.
 */
export async function walks(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const count of [4, 80]) {
    const plan = compile(definePlan(schema(count) as never), [KEYRING as never])
    const keyrings = [KEYRING]
    const context = {
      client: {},
      plan,
      keyrings,
      globalOmit: {},
      onStale: null,
      underWay: new Set(),
    }
    for (const [name, model, operation, args] of CALLS) {
      const query = (): Promise<unknown> => Promise.resolve({ id: 1, a: null, b: 'x' })
      const call = (): Promise<unknown> =>
        runOperation(context as never, { model, operation, args, query } as never)
      const [empty, walked] = [await time(query), await time(call)]
      figures.push({
        name: `${name}, ${count} models`,
        unit: 'µs',
        plain: empty,
        rowseal: walked,
        ...(operation === 'findUnique' ? { target: '<= plain + 5 µs' } : {}),
      })
    }
  }
  return figures
}

const CALLS: readonly (readonly [string, string, string, object])[] = [
  ['hook: model that reaches nothing', 'Lone', 'findUnique', { where: { id: 1 } }],
  ['hook: model with nothing sealed', 'M1', 'findUnique', { where: { id: 1 } }],
  ['hook: model with a sealed field', 'M0', 'findUnique', { where: { id: 1 } }],
  [
    'hook: filter of four fields',
    'M1',
    'findMany',
    { where: { b: 'x', OR: [{ c: 'y' }, { d: { in: ['1', '2'] } }] }, orderBy: { id: 'asc' } },
  ],
]

/** Microseconds per call, median of rounds. */
async function time(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  const calls = 5000
  for (let round = -5; round < 21; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < calls; i++) await call()
    if (round >= 0) times.push(Number(process.hrtime.bigint() - start) / 1000 / calls)
  }
  return quantile(
    times.sort((a, b) => a - b),
    0.5,
  )
}

const KEYRING = { name: 'default', staleKeyIds: () => [], isStale: () => false }

function schema(count: number): object {
  const none = { relations: {}, uniques: {}, sealed: {}, indexes: {}, constraints: {}, bound: {} }
  const id = { id: { type: 'Int', column: 'id' } }
  const columns = 'a b c d e f g h i j'
    .split(' ')
    .map((name) => [name, { type: 'String', column: name }])
  const models = Array.from({ length: count }, (_, i) => {
    const sealed = i % 10 === 0 ? { a: { ...SEALED, id: `M${i}.a` } } : {}
    const relations = {
      next: { model: `M${(i + 1) % count}`, list: false },
      previous: { model: `M${(i + count - 1) % count}`, list: true },
    }
    const model = { ...none, table: `M${i}`, key: ['id'], relations, sealed }
    return [`M${i}`, { ...model, columns: { ...id, ...Object.fromEntries(columns) } }]
  })
  return {
    format: 2,
    digest: '0'.repeat(64),
    provider: 'sqlite',
    models: {
      ...Object.fromEntries(models),
      Lone: { ...none, table: 'Lone', key: ['id'], columns: id },
    },
  }
}

const SEALED = {
  type: 'String',
  list: false,
  nullable: true,
  keyring: 'default',
  plaintext: 'refuse',
  seal: 'on',
  pad: 0,
  bind: [],
}
