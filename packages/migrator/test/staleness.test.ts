import { afterEach, describe, expect, it } from 'vitest'
import { readPage } from '@rowseal/prisma-extension/sql'
import { openContext } from '../src/config.ts'
import { staleKeysOf } from '../src/drain/stale-keys.ts'
import { staleWhere } from '../src/drain/strategy.ts'
import {
  drain,
  dropIndexStatements,
  indexStatements,
  planDrain,
  status,
  type FieldStatus,
  type IndexStatements,
} from '../src/index.ts'
import { lookupsOf } from '../src/staleness/lookups.ts'
import { loadTargets } from '../src/targets.ts'
import { Command } from './command.ts'
import { renderRunPlan } from '../src/cli/render-plan.ts'
import { renderStatus } from '../src/cli/render.ts'
import { renderDropIndexes, renderIndexStatements } from '../src/cli/render-staleness.ts'
import { addPatients, clinic, closeWorlds, PROVIDERS, world, type World } from './world.ts'

let command: Command | undefined
afterEach(async () => {
  command?.remove()
  command = undefined
  await closeWorlds()
})

const LISTS = ['words', 'docs', 'blobs']
const named = ({ fields }: IndexStatements, state: string): string[] =>
  fields.filter((field) => field.state === state).map(({ model, field }) => `${model}.${field}`)

async function run({ db }: World, { fields }: IndexStatements): Promise<void> {
  for (const sql of fields.flatMap(({ statements }) => statements)) await db.exec(sql)
}

const uncounted = (fields: readonly FieldStatus[]): unknown[] =>
  fields.map((field) => ({ ...field, stalenessIndex: null }))

describe.each(PROVIDERS)('staleness indexes on %s', (provider) => {
  async function rotated(patients: number): Promise<World> {
    const w = await world(provider, clinic(provider))
    await addPatients(w, patients)
    await w.rotate()
    await addPatients(w, 5, patients)
    await w.plain.patient.updateMany({ where: { clinic: 3 }, data: { phone: '+49 not sealed' } })
    return w
  }

  it('are made of every sealed column that can have one, and change no report', async () => {
    const w = await rotated(30)
    const lists = provider === 'postgresql' ? LISTS.map((field) => `Patient.${field}`) : []
    const columns = ['Patient.email', 'Patient.notes', 'Patient.scan', 'Patient.phone', 'Staff.pin']
    const before = await status(w.config)
    const plan = await planDrain(w.config)
    const wanted = await indexStatements(w.config)
    expect([named(wanted, 'missing'), named(wanted, 'unsupported')]).toEqual([columns, lists])
    expect(wanted.fields[0]).toMatchObject({ table: 'table', column: 'select', reason: null })
    await run(w, wanted)

    const made = await indexStatements(w.config)
    expect([named(made, 'present'), named(made, 'unsupported')]).toEqual([columns, lists])
    expect(made.fields.flatMap(({ statements }) => statements)).toEqual([])
    const after = await status(w.config)
    expect(uncounted(after.fields)).toEqual(uncounted(before.fields))
    expect(after.fields.map(({ stalenessIndex }) => stalenessIndex)).toEqual(
      made.fields.map(({ state }) => state),
    )
    const planned = await planDrain(w.config)
    expect(planned.staleRows).toBe(30)
    expect(planned.models.map(({ staleRows }) => staleRows)).toEqual(
      plan.models.map(({ staleRows }) => staleRows),
    )
    expect(planned.models[1]!.stalenessIndexes).toEqual(['present'])

    // Whoever else writes does not notice.
    expect(await drain(w.config, { now: true })).toMatchObject({ outcome: 'done', rows: 30 })
    expect((await status(w.config)).stale).toBe(0)
    await run(w, await dropIndexStatements(w.config))
    expect((await dropIndexStatements(w.config)).fields.flatMap((f) => f.statements)).toEqual([])
    expect(named(await indexStatements(w.config), 'missing')).toEqual(columns)
  })

  it('give the rows of a drain, where every field with stale keys has one', async () => {
    const w = await rotated(20)
    await w.plain.staff.create({ data: { id: 1, name: '', pin: 'rs1.00000001.AAAA' } })
    const context = await openContext(w.config)
    for (const target of await loadTargets(context)) {
      const stale = await staleKeysOf(target)
      expect(await lookupsOf(context, target, stale)).toBe(null)
      const { table } = target
      const request = { columns: table.sealed, after: null, maxRows: 500, maxBytes: 1e9 }
      const where = staleWhere(target, stale)
      const walked = await readPage(context.client, table, { ...request, where })
      await run(w, await indexStatements(w.config, { models: [target.model] }))
      const lookups = await lookupsOf(context, target, stale)
      expect(lookups === null).toBe(table.sealed.some(({ list }) => list))
      const page = await readPage(context.client, table, { ...request, where, lookups })
      expect(page).toEqual({ ...walked, isLookedUp: lookups !== null })
      expect(page.rows.length).toBe(target.model === 'Staff' ? 1 : 20)
    }
  })

  it('are printed, and missed by `status` and the plan of a drain', async () => {
    const w = await rotated(3)
    const models = ['Patient']
    const document = await indexStatements(w.config, { models })
    const printed = renderIndexStatements(document)
    expect(printed).toMatch(/^-- Staleness indexes/)
    const lines = printed.split('\n').filter((line) => !line.startsWith('--'))
    expect(lines).toEqual(document.fields.flatMap((f) => f.statements.map((sql) => `${sql};`)))
    expect(printed.includes('-- Patient.words: can have none.')).toBe(provider === 'postgresql')
    const inSchema = '--   @@index([scan(length: 7)], map: "rowseal_stale_table_scan_'
    expect(printed.includes(inSchema)).toBe(provider === 'mysql')
    await run(w, document)
    expect(renderIndexStatements(await indexStatements(w.config, { models }))).toContain(
      '-- Patient.email: there, as rowseal_stale_table_select_',
    )
    const told =
      'Staff.pin has no index for stale values: whole tables are read. npx rowseal ddl index'
    expect(renderStatus(await status(w.config))).toContain(told)
    expect(renderRunPlan(await planDrain(w.config))).toContain(told)
    expect(
      renderDropIndexes(await dropIndexStatements(w.config)).match(/DROP INDEX/g),
    ).toHaveLength(4)
  })
})

it('`rowseal ddl index` prints SQL, or a document, and runs nothing', async () => {
  const w = await world('sqlite', clinic('sqlite'))
  command = new Command(w)
  const printed = await command.run('ddl', 'index', '--model', 'Staff')
  const json = await command.run('ddl', 'index', '--drop', '--json')
  const misspelt = await command.run('ddl', 'index', '--model', 'Country')
  const wanted = await indexStatements(w.config, { models: ['Staff'] })
  expect(named(wanted, 'missing')).toEqual(['Staff.pin'])
  expect(printed).toMatchObject({
    code: 0,
    stderr: '',
    stdout: `${renderIndexStatements(wanted)}\n`,
  })
  expect(JSON.parse(json.stdout)).toEqual(await dropIndexStatements(w.config))
  expect(misspelt.code).toBe(2)
})
