import { rows } from './compare.ts'
import type { Grammar } from './filters.ts'
import { delegateOf, modelsOf } from './models.ts'
import type { World } from './worlds.ts'

/** Read every table through both clients, without filters. @throws {Error} if they differ. */
export async function compareData(
  grammar: Grammar,
  { provider, sealed, plain }: World,
): Promise<void> {
  for (const model of modelsOf(provider)) {
    const isJoined = model.name === 'Tag'
    // Every column, whatever the client leaves out.
    const omit = Object.fromEntries(model.fields.map(({ name }) => [name, false]))
    const args = {
      omit,
      orderBy: model.id.map((name) => ({ [name]: 'asc' })),
      ...(isJoined && { include: { people: { orderBy: { id: 'asc' } } } }),
    }
    if (isJoined)
      args.include = { people: { orderBy: { id: 'asc' }, select: { id: true } } } as never
    const [ours, theirs] = await Promise.all(
      [sealed, plain].map(async ({ client }) =>
        rows(grammar, model, args, await client[delegateOf(model.name)].findMany(args)),
      ),
    )
    const [a, b] = [ours as unknown[], theirs as unknown[]]
    const at = a.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(b[i]))
    if (a.length === b.length && at < 0) continue
    const i = at < 0 ? a.length : at
    throw new Error(
      `The data of ${model.name} differs.\n  sealed ${a.length} rows, ${JSON.stringify(a[i])}\n  plain  ${b.length} rows, ${JSON.stringify(b[i])}`,
    )
  }
}
