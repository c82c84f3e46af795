import { definePlan } from '@rowseal/prisma-extension/plan'
import { runOperation } from '../../../packages/prisma-extension/dist/client/operation.js'
import { compile } from '../../../packages/prisma-extension/dist/query/index.js'
import { interleave, measurement, type Measurement, type Times } from '../measure.ts'
import type { Effort } from './operations.ts'

const CALLS_AT_ONCE = 2000

/**
 * What the hook costs beside an empty one: arguments and results walked, no database, no cipher. The schema's
 * models are all related, every tenth has a sealed field, so that each of them reaches one.
 */
export async function walks({ isQuick }: Effort): Promise<Measurement[]> {
  const lines: Measurement[] = []
  for (const count of [4, 80]) {
    const plan = compile(definePlan(schema(count) as never), [KEYRING as never])
    const context = {
      client: {},
      plan,
      keyrings: [KEYRING],
      globalOmit: {},
      onStale: null,
      underWay: new Set(),
    }
    for (const { name, model, operation, args, isAimed } of CALLS) {
      const query = (): Promise<unknown> => Promise.resolve({ id: 1, a: null, b: 'x' })
      const params = { model, operation, args, query }
      const times = await interleave(
        {
          empty: { run: () => repeated(() => emptyHook(params)) },
          rowseal: { run: () => repeated(() => runOperation(context as never, params)) },
        },
        { rounds: isQuick ? 11 : 41, warmUp: 4, calls: 1 },
      )
      const target = isAimed ? '≤ empty + 5 µs' : undefined
      const described = { name: `hook: ${name}, ${count} models`, unit: 'µs' }
      lines.push(measurement({ ...described, ...aim(target) }, perCall(times)))
    }
  }
  return lines
}

function aim(target: string | undefined) {
  const isMet = ({ rowseal, empty }: Measurement): boolean => rowseal! <= empty! + 5
  return target === undefined ? {} : { target, isMet }
}

async function emptyHook({ args, query }: { args: object; query: (args: object) => unknown }) {
  return query(args)
}

async function repeated(call: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < CALLS_AT_ONCE; i++) await call()
}

/** From milliseconds of all to microseconds of one. */
function perCall(times: Times): Times {
  return Object.fromEntries(
    Object.entries(times).map(([subject, list]) => [
      subject,
      list.map((ms) => (ms * 1000) / CALLS_AT_ONCE),
    ]),
  )
}

const CALLS = [
  one('model that reaches nothing encrypted', 'Lone', true),
  one('model with nothing encrypted, related to one that has', 'M1', true),
  one('model with an encrypted field, null', 'M0', false),
  {
    name: 'filter of four fields',
    model: 'M1',
    operation: 'findMany',
    args: {
      where: { b: 'x', OR: [{ c: 'y' }, { d: { in: ['1', '2'] } }] },
      orderBy: { id: 'asc' },
    },
    isAimed: false,
  },
]

function one(name: string, model: string, isAimed: boolean) {
  return { name, model, operation: 'findUnique', args: { where: { id: 1 } }, isAimed }
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
