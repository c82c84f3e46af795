import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeWorlds, PROVIDERS } from '../world.ts'
import { SCENARIOS, worldOf } from './directions.ts'
import { openTable, type Table } from './notes.ts'
import { expectProof, expectVerified } from './proof.ts'
import { atEachStep, goneAt, shareOf } from './steps.ts'

const ROWS = 4
const PACE = { batchRows: 2, now: true }

describe.each(PROVIDERS)('processes that are gone, on %s', (provider) => {
  let table: Table
  beforeAll(async () => {
    table = await openTable(provider)
  })
  afterAll(closeWorlds)

  it.each(SCENARIOS)(
    '$name: one at each step of a run, each after the other, leave it to be ended',
    async (scenario) => {
      const { run, again } = scenario
      const w = worldOf(table, scenario)
      const { client } = w.config
      const notes = await scenario.fill(table, ROWS)
      await again(table)
      let steps = 0
      const whole = atEachStep(client, () => {
        steps++
      })
      expect(await run({ ...w.config, client: whole }, PACE)).toMatchObject({ outcome: 'done' })

      let isEnded = true
      const { first, by } = shareOf(PROVIDERS.indexOf(provider), PROVIDERS.length)
      for (let n = first; n <= steps; n += by) {
        if (isEnded) await again(table)
        const goes = run({ ...w.config, client: goneAt(client, n) }, PACE)
        const report = await goes.catch(() => null)
        isEnded = report !== null
        // It was gone on with so often that it came to its end before that step.
        if (isEnded) {
          expect(report).toMatchObject({ outcome: 'done' })
          await expectProof(table, scenario, notes)
          n -= by
        } else await w.run('UPDATE rowseal_parts SET heartbeat_at_ms = 0')
      }
      if (!isEnded) expect(await run(w.config, PACE)).toMatchObject({ outcome: 'done' })
      await expectProof(table, scenario, notes)
      await expectVerified(table, scenario)
    },
    300_000,
  )
})
