import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closeWorlds, PROVIDERS } from '../world.ts'
import { ROWS } from './application.ts'
import { Children } from './children.ts'
import { SCENARIOS, worldOf } from './directions.ts'
import { Killing } from './killing.ts'
import { openTable, QUICK, type Table } from './notes.ts'
import { randomOf } from './random.ts'

/** `ROWSEAL_KILLS` for each direction on each database; `ROWSEAL_KILLS_SEED` repeats what was printed. */
const KILLS = Number(process.env['ROWSEAL_KILLS'] ?? 7)
const SEED = Number(process.env['ROWSEAL_KILLS_SEED'] ?? Date.now() % 1_000_000)

describe.each(PROVIDERS)(`killed at any moment (seed ${SEED}), on %s`, (provider) => {
  let table: Table
  let children: Children
  beforeAll(async () => {
    table = await openTable(provider, QUICK)
  })
  afterEach(() => children.close())
  afterAll(closeWorlds)

  it.each(SCENARIOS)(
    '$name loses nothing, and ends with its proof',
    async (scenario) => {
      const random = randomOf(SEED + SCENARIOS.indexOf(scenario))
      children = new Children(worldOf(table, scenario), QUICK)
      const killing = new Killing(table, scenario, children, random)
      let notes = await scenario.fill(table, ROWS)
      while (killing.kills < KILLS) notes = await killing.untilItEnds(notes, KILLS)
      console.info(JSON.stringify({ provider, direction: scenario.name, ...killing.seen }))
      expect(killing.seen.acknowledged).toBeGreaterThan(0)
    },
    600_000,
  )
})
