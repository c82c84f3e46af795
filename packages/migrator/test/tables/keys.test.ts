import { afterEach, describe, expect, it } from 'vitest'
import { closeWorlds, PROVIDERS, world } from '../world.ts'
import { shapes } from './shapes.ts'
import { expectEveryRowMet, fill } from './tables.ts'

afterEach(closeWorlds)

describe.each(PROVIDERS)('keys on %s', (provider) => {
  it('finds every row by a key of every type, alone and beside another', async () => {
    const { prisma, tables } = shapes(provider)
    const w = await world(provider, prisma)
    for (const table of tables) await fill(w, table)
    await expectEveryRowMet(w, tables)
    expect(tables.length).toBeGreaterThan(15)
  })
})
