import { afterAll, describe, expect, it } from 'vitest'
import { init, listQuarantine, status, verify } from '../src/index.ts'
import { closeWorlds, drain, PROVIDERS, world } from './world.ts'

afterAll(closeWorlds)

const SCHEMA = `
model Secret {
  id   Int     @id
  /// @encrypted
  text String?
}
`
const NAME = 'VARCHAR(191) NOT NULL'

/** As an earlier version made them. */
const EARLIER = {
  rowseal_quarantine: `CREATE TABLE rowseal_quarantine (model ${NAME}, field ${NAME}, record_key ${NAME}, code ${NAME}, found_at_ms BIGINT NOT NULL)`,
  rowseal_runs: `CREATE TABLE rowseal_runs (model ${NAME} PRIMARY KEY, format BIGINT NOT NULL, checkpoint VARCHAR(191))`,
} as const

describe.each(PROVIDERS)('tables of an earlier version, on %s', (provider) => {
  it('are told of by whatever needs them, with what to run', async () => {
    const w = await world(provider, SCHEMA)
    await w.sealed.secret.create({ data: { id: 1, text: 'a' } })
    await w.rotate()
    for (const [table, statement] of Object.entries(EARLIER)) {
      await w.run(`DROP TABLE ${table}`, statement)
      const told = {
        code: 'ERR_RUN_TABLES',
        message: expect.stringMatching(`^The table ${table} was made by an earlier version`),
        fix: expect.stringContaining(`\`DROP TABLE ${table}\`, then \`npx rowseal init\``),
      }
      for (const use of [init, drain, verify, status, listQuarantine])
        await expect(use(w.config)).rejects.toMatchObject(told)
      await w.run(`DROP TABLE ${table}`)
      expect(await init(w.config)).toMatchObject({ areRunTablesCreated: true })
    }
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 1 })
  })

  it('are told of where others are missing', async () => {
    const w = await world(provider, SCHEMA, { init: false })
    await w.run(EARLIER.rowseal_runs)
    await expect(init(w.config)).rejects.toMatchObject({ code: 'ERR_RUN_TABLES' })
  })
})
