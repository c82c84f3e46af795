import { indexStatements, status } from '@rowseal/migrator'
import type { World } from './world.ts'

export interface StatusFigures {
  readonly rows: number
  /** Values that are not under the active key. */
  readonly stale: number
  readonly withoutIndexSeconds: number
  readonly indexesMadeSeconds: number
  /** Several in a row. */
  readonly withIndexSeconds: readonly number[]
}

/** Time `rowseal status`: without indexes by which stale values are found, and with them. */
export async function statusFigures(world: World, rows: number): Promise<StatusFigures> {
  const { config, client } = world
  const without = await timed(() => status(config))
  const made = await timed(async () => {
    const { fields } = await indexStatements(config, { models: ['Note'] })
    for (const sql of fields.flatMap((field) => field.statements))
      await client.$executeRawUnsafe(sql)
  })
  await world.analyze()
  const withIndex = []
  for (let i = 0; i < 3; i++) withIndex.push(await timed(() => status(config)))
  const isSame = withIndex.every(
    ({ result }) => countsOf(result.fields) === countsOf(without.result.fields),
  )
  if (!isSame) throw new Error('`status` counts otherwise with indexes than without.')
  return {
    rows,
    stale: without.result.stale,
    withoutIndexSeconds: without.seconds,
    indexesMadeSeconds: made.seconds,
    withIndexSeconds: withIndex.map(({ seconds }) => seconds),
  }
}

function countsOf(fields: readonly object[]): string {
  return JSON.stringify(fields.map((field) => ({ ...field, stalenessIndex: null })))
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const began = performance.now()
  const result = await work()
  return { result, seconds: Math.round(performance.now() - began) / 1000 }
}
