import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeWorlds, PROVIDERS, type Provider } from '../world.ts'
import { hammer, KEYRING, ROWS, type Hammered } from './hammering.ts'
import { fillSealed, openTable, type Table } from './notes.ts'

/** `ROWSEAL_HAMMER_SECONDS=600 ROWSEAL_HAMMER_RESULTS=FILE` for a recorded run. */
const SECONDS = Number(process.env['ROWSEAL_HAMMER_SECONDS'] ?? 60)
const RESULTS = process.env['ROWSEAL_HAMMER_RESULTS']
const SEED = Number(process.env['ROWSEAL_KILLS_SEED'] ?? Date.now() % 1_000_000)

describe(`writers that hammer the same rows while they are drained (seed ${SEED})`, () => {
  const tables = new Map<Provider, Table>()
  const results: Hammered[] = []
  beforeAll(async () => {
    for (const provider of PROVIDERS) {
      const table = await openTable(provider, KEYRING)
      await fillSealed(table, ROWS)
      tables.set(provider, table)
    }
  })
  afterAll(async () => {
    if (RESULTS !== undefined) writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
    await closeWorlds()
  })

  it.concurrent.each(PROVIDERS)(
    'never see a write undone, on %s',
    async (provider) => {
      const result = await hammer(tables.get(provider)!, SECONDS, SEED)
      results.push(result)
      console.info(JSON.stringify(result))
      expect(result.lost).toBe(0)
      expect(
        Math.min(result.drains, result.proofs, result.writes, result.increments),
      ).toBeGreaterThan(0)
    },
    (SECONDS + 240) * 1000,
  )
})
