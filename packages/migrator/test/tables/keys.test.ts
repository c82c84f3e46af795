import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeWorlds, PROVIDERS, world, type World } from '../world.ts'
import { shapes } from './shapes.ts'
import { expectEveryRowMet, expectLeavesAndEnters, fill } from './tables.ts'

describe.each(PROVIDERS)('keys of every type, alone and beside another, on %s', (provider) => {
  const { prisma, tables } = shapes(provider)
  let w: World
  beforeAll(async () => {
    w = await world(provider, prisma)
    for (const table of tables) await fill(w, table)
  })
  afterAll(closeWorlds)

  it('find every row in reindex, drain and verify', async () => {
    await expectEveryRowMet(w, tables)
    expect(tables.length).toBeGreaterThan(15)
  }, 180_000)

  it('find every row in decrypt and encrypt', async () => {
    await expectLeavesAndEnters(w, tables)
  }, 180_000)
})
