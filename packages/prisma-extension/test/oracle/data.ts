import { rows } from './compare.ts'
import type { Grammar } from './filters.ts'
import type { Hashes } from './hashes.ts'
import { delegateOf, modelsOf, type Model } from './models.ts'
import type { World } from './worlds.ts'

/** Read every table through both clients, without filters. @throws {Error} if they differ. */
export async function compareData(
  grammar: Grammar,
  { provider, sealed, plain }: World,
  hashes: Hashes,
): Promise<void> {
  for (const model of modelsOf(provider)) {
    const args = allOf(model)
    const [ours, theirs] = await Promise.all(
      [sealed, plain].map(({ client }): Promise<any[]> =>
        client[delegateOf(model.name)].findMany(args),
      ),
    )
    for (const row of ours!) hashes.check(model, row)
    const [a, b] = [ours, theirs].map((found) => rows(grammar, model, args, found) as unknown[])
    assertSame(model, a!, b!)
  }
}

/** Every row in the order of the ids, and every column, whatever the client leaves out. */
function allOf(model: Model): Record<string, unknown> {
  const joined = model.name === 'Tag'
  return {
    omit: Object.fromEntries(model.fields.map(({ name }) => [name, false])),
    orderBy: model.id.map((name) => ({ [name]: 'asc' })),
    ...(joined && { include: { people: { orderBy: { id: 'asc' }, select: { id: true } } } }),
  }
}

function assertSame({ name }: Model, ours: readonly unknown[], theirs: readonly unknown[]): void {
  const texts = [ours, theirs].map((list) => list.map((row) => JSON.stringify(row)))
  const [a, b] = [texts[0]!, texts[1]!]
  const length = Math.max(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i] === b[i]) continue
    throw new Error(
      `The data of ${name} differs.\n  sealed ${a.length} rows, ${a[i] ?? 'none'}\n  plain  ${b.length} rows, ${b[i] ?? 'none'}`,
    )
  }
}
