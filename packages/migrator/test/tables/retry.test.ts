import { readPage } from '@rowseal/prisma-extension/sql'
import { afterEach, describe, expect, it } from 'vitest'
import { contextOf } from '../../src/config.ts'
import { listQuarantine, retryQuarantine } from '../../src/index.ts'
import { RunStore } from '../../src/runs/store.ts'
import { loadTargets } from '../../src/targets.ts'
import { closeWorlds, drain, PROVIDERS, world } from '../world.ts'
import { shapes } from './shapes.ts'
import { expectSecrets, fill } from './tables.ts'

afterEach(closeWorlds)

describe.each(PROVIDERS)('a retry on %s', (provider) => {
  it('finds the rows in quarantine by keys of every type, and no other', async () => {
    const { prisma, tables: all } = shapes(provider)
    // Every type alone, and some beside another.
    const tables = all.filter(({ key }, i) => key.length === 1 || i % 8 === 1)
    const w = await world(provider, prisma)
    for (const table of tables) await fill(w, table)
    await w.rotate()
    const { quarantine } = new RunStore(w.plain, provider)
    const models = tables.map(({ model }) => model)
    const targets = await loadTargets(contextOf(w.config), models)
    let [wanted, others] = [0, 0]
    for (const { model, table } of targets) {
      const request = { columns: table.sealed, after: null, where: null, maxRows: 1_000 }
      const { rows } = await readPage(w.plain, table, { ...request, maxBytes: 1e9 })
      const entries = rows
        .filter((_, i) => i % 3 !== 1)
        .map(({ key }) => ({ model, field: 'secret', key, code: 'ERR_CHECK_VIOLATION' }))
      await w.plain.$transaction((tx: any) => quarantine.record(tx, entries, 'drain'))
      wanted += entries.length
      others += rows.length - entries.length
    }
    expect((await listQuarantine(w.config)).total).toBe(wanted)
    const done = { outcome: 'done', released: wanted, deleted: 0, left: 0 }
    expect(await retryQuarantine(w.config)).toMatchObject(done)
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: others })
    for (const table of tables) await expectSecrets(w, table)
  })
})
