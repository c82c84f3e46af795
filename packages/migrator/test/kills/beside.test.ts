import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cancelRuns } from '../../src/index.ts'
import { again } from '../accounts.ts'
import { closeWorlds, PROVIDERS, type World } from '../world.ts'
import { SCENARIOS, worldOf, type Scenario } from './directions.ts'
import { noteOf, type Note } from './note.ts'
import { openTable, type Table } from './notes.ts'
import { expectProof, expectVerified } from './proof.ts'
import { atEachStep, shareOf, type Step } from './steps.ts'

const ROWS = 4
const PACE = { batchRows: 2, now: true }
const WRITING = SCENARIOS.filter(({ kind }) => kind === 'write')
const OPPOSITES = [
  ['encrypt', 'decrypt'],
  ['decrypt', 'encrypt'],
] as const

/** Run a scenario; at its n-th step something else is done, and the run goes on when it has been done. */
async function runBeside(
  table: Table,
  scenario: Scenario,
  n: number,
  act: () => Promise<unknown>,
): Promise<{ outcome: string } | { code: string }> {
  const { config } = worldOf(table, scenario)
  let acting = null as Promise<unknown> | null
  const client = atEachStep(config.client, async (step) => {
    // What it does side by side stands still too.
    if (step.n < n) return
    acting ??= act()
    acting.catch(() => undefined)
    // What the transaction has locked the other waits for.
    const waits = step.isInTransaction ? [new Promise((done) => setTimeout(done, 150))] : []
    await Promise.race([acting, ...waits])
  })
  const result = await scenario.run({ ...config, client }, PACE).catch((error: unknown) => {
    return error as { code: string }
  })
  await acting
  return result
}

/** This database's share. On libsql nothing goes on beside a transaction of the same process. */
async function stepsOf(table: Table, scenario: Scenario): Promise<Step[]> {
  const { config } = worldOf(table, scenario)
  const steps: Step[] = []
  const client = atEachStep(config.client, (step) => {
    steps.push(step)
  })
  await scenario.again(table)
  await scenario.run({ ...config, client }, PACE)
  const { by, first } = shareOf(PROVIDERS.indexOf(table.provider), PROVIDERS.length)
  const isMine = ({ n }: Step): boolean => (n - first) % by === 0
  return steps.filter(
    (step) => isMine(step) && (table.provider !== 'sqlite' || !step.isInTransaction),
  )
}

/** Has the run nothing left to do? */
async function hasEnded(w: World, { name }: Scenario): Promise<boolean> {
  const [part] = await w.query(
    `SELECT p.progress AS progress FROM rowseal_runs r JOIN rowseal_parts p ON p.run = r.run AND p.kind = r.kind AND p.model = r.model
WHERE r.kind = 'write' AND r.direction = '${name}'`,
  )
  return part?.progress === 'closed'
}

/** Has the run a worker, who may still change something? */
async function isWorkedOn(w: World, { name }: Scenario): Promise<boolean> {
  const [worked] = await w.query(
    `SELECT r.state AS state FROM rowseal_runs r JOIN rowseal_parts p ON p.run = r.run AND p.kind = r.kind AND p.model = r.model
WHERE r.kind = 'write' AND r.direction = '${name}' AND p.owner IS NOT NULL`,
  )
  return /running|finishing/.test(String(worked?.state))
}

/** One row is changed, one is deleted or comes back, and of one a part is changed. */
async function write({ sealed }: World, notes: Map<number, Note>, n: number): Promise<void> {
  const { doc, ...changed } = noteOf(0, n)
  await sealed.note.update({ where: { id: 0 }, data: { ...changed, ...(doc !== null && { doc }) } })
  notes.set(0, { ...changed, doc: doc ?? notes.get(0)!.doc })
  const other = { ...noteOf(1, n), doc: { n } }
  if (notes.delete(1)) await sealed.note.delete({ where: { id: 1 } })
  else await sealed.note.create({ data: other }).then(() => notes.set(1, other))
  const part = { text: `part ${n}`, phone: null }
  await sealed.note.updateMany({ where: { id: 3 }, data: part })
  notes.set(3, { ...notes.get(3)!, ...part })
}

describe.each(PROVIDERS)('beside a run, on %s', (provider) => {
  let table: Table
  beforeAll(async () => {
    table = await openTable(provider)
  })
  afterAll(closeWorlds)

  it.each(WRITING)(
    '$name: what the application writes at any step is kept',
    async (scenario) => {
      const w = worldOf(table, scenario)
      const notes = new Map((await scenario.fill(table, ROWS)).map((note) => [note.id, note]))
      for (const { n, kind } of await stepsOf(table, scenario)) {
        await scenario.again(table)
        const result = await runBeside(table, scenario, n, () => write(w, notes, n))
        expect([n, kind, result]).toMatchObject([n, kind, { outcome: 'done' }])
        const rows = [...notes.values()].sort((a, b) => a.id - b.id)
        await expectProof(table, scenario, rows)
      }
      await expectVerified(table, scenario)
    },
    300_000,
  )

  it.each(WRITING.filter(({ name }) => name !== 'reindex'))(
    '$name: one that stood still at any step while another took it over and ended it changes nothing',
    async (scenario) => {
      const w = worldOf(table, scenario)
      const notes = await scenario.fill(table, ROWS)
      const parts = (): Promise<any[]> =>
        w.query(`SELECT owner, progress, checkpoint FROM rowseal_parts WHERE kind = 'write'`)
      let stood = 0
      for (const { n, kind, isInTransaction } of await stepsOf(table, scenario)) {
        await scenario.again(table)
        // Within one it has rows locked, and is awake before the other is done.
        if (isInTransaction) continue
        const left: any[] = []
        const result = await runBeside(table, scenario, n, async () => {
          if (!(await isWorkedOn(w, scenario))) return
          // What was under way when it came to stand still may have been a sign of life.
          await again(async () => {
            await w.run('UPDATE rowseal_parts SET heartbeat_at_ms = 0')
            await scenario.run(w.config, PACE)
          })
          left.push(...(await parts()))
        })
        await expectProof(table, scenario, notes)
        if (left.length === 0) continue
        stood++
        expect([n, kind, await parts()]).toEqual([n, kind, left])
        expect([n, kind, result]).not.toMatchObject([n, kind, { outcome: 'done' }])
      }
      expect(stood).toBeGreaterThan(3)
    },
    300_000,
  )

  it.each(OPPOSITES)(
    '%s: one that stood still at any step while it was cancelled, and %s came to its end, changes nothing',
    async (name, opposite) => {
      const [scenario, other] = [name, opposite].map((one) =>
        SCENARIOS.find((each) => each.name === one)!,
      ) as [Scenario, Scenario]
      const w = worldOf(table, scenario)
      const notes = await scenario.fill(table, ROWS)
      let stood = 0
      for (const { n, kind } of await stepsOf(table, scenario)) {
        await scenario.again(table)
        const before = stood
        const cancelled = { hadEnded: false }
        const result = await runBeside(table, scenario, n, async () => {
          if (!(await isWorkedOn(w, scenario))) return
          stood++
          await cancelRuns(w.config)
          cancelled.hadEnded = await hasEnded(w, scenario)
          const report = await other.run(worldOf(table, other).config, PACE)
          expect(report).toMatchObject({ outcome: 'done' })
        })
        if (stood === before) continue
        // At its last COMMIT it cannot be cancelled any more: who cancels waits until it has been.
        if (!cancelled.hadEnded)
          expect([n, kind, result]).not.toMatchObject([n, kind, { outcome: 'done' }])
        await expectProof(table, other, notes)
      }
      expect(stood).toBeGreaterThan(3)
    },
    300_000,
  )
})
