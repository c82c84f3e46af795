import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { closeWorlds, PROVIDERS } from '../world.ts'
import { ROWS } from './application.ts'
import { Children } from './children.ts'
import { DRAIN, REWRAP, SCENARIOS, worldOf, type Scenario } from './directions.ts'
import { Killing } from './killing.ts'
import { openTable, QUICK, type Table } from './notes.ts'
import { randomOf } from './random.ts'
import { BACKENDS, startQueue, type QueueServer } from '../queue/servers.ts'

/** `ROWSEAL_KILLS` for each direction on each database and for each queue (5: 100 in all); `ROWSEAL_KILLS_SEED` repeats what was printed. */
const KILLS = Number(process.env['ROWSEAL_KILLS'] ?? 1)
const SEED = Number(process.env['ROWSEAL_KILLS_SEED'] ?? Date.now() % 1_000_000)

const ALL = [...SCENARIOS, REWRAP]

describe.each(PROVIDERS)(`killed at any moment (seed ${SEED}), on %s`, (provider) => {
  let table: Table
  let children: Children
  beforeAll(async () => {
    table = await openTable(provider, QUICK)
  })
  afterEach(() => children.close())
  afterAll(closeWorlds)

  it.each(ALL)(
    '$name loses nothing, and ends with its proof',
    async (scenario) => {
      children = new Children(worldOf(table, scenario), QUICK)
      await survive(table, scenario, children, ALL.indexOf(scenario))
    },
    600_000,
  )
})

// Processes that coordinate and work at once, so that both are gone at any moment.
const QUEUES = [
  ['redis', 'postgresql'],
  ['postgresql', 'mysql'],
] as const

describe.each(
  QUEUES.filter(([queue, data]) => BACKENDS.includes(queue) && PROVIDERS.includes(data)),
)(`killed at any moment (seed ${SEED}), with a queue on %s and data in %s`, (queue, data) => {
  let table: Table
  let server: QueueServer
  let children: Children
  beforeAll(async () => {
    table = await openTable(data, QUICK)
    server = await startQueue(queue)
    children = new Children(table.sealed, QUICK, server.options)
  })
  afterAll(async () => {
    await children.close()
    await server.stop()
    await closeWorlds()
  })

  it('a drain loses nothing, and ends with its proof', async () => {
    await survive(table, DRAIN, children, ALL.length)
  }, 600_000)
})

async function survive(
  table: Table,
  scenario: Scenario,
  children: Children,
  salt: number,
): Promise<void> {
  const killing = new Killing(table, scenario, children, randomOf(SEED + salt))
  let notes = await scenario.fill(table, ROWS)
  while (killing.kills < KILLS) notes = await killing.untilItEnds(notes, KILLS)
  const { provider } = table
  console.info(JSON.stringify({ provider, direction: scenario.name, ...killing.seen }))
  expect(killing.seen.acknowledged).toBeGreaterThan(0)
}
