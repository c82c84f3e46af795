import { indexValue, normalize } from '@rowseal/prisma-extension/envelope'
import { expect } from 'vitest'
import { status, verify } from '../../src/index.ts'
import type { World } from '../world.ts'
import { worldOf, type Scenario } from './directions.ts'
import type { Note } from './note.ts'
import type { Table } from './notes.ts'

const byId = { orderBy: { id: 'asc' } }
const NO_INDEXES = { phoneIndex: true, loginIndex: true, loginOther: true }

/** What the application reads. */
export const readNotes = (w: World): Promise<Note[]> =>
  w.sealed.note.findMany({ ...byId, omit: NO_INDEXES })

/** Everything a direction promises of a table that it has come to the end of. */
export async function expectProof(
  table: Table,
  scenario: Scenario,
  notes: readonly Note[],
): Promise<void> {
  const w = worldOf(table, scenario)
  expect(await readNotes(w)).toEqual(notes)
  await expectStored(w, scenario)
  expect(await w.query('SELECT field, code FROM rowseal_quarantine')).toEqual([])
  await expectEnded(w, scenario)
}

/** As the database has it, whatever the extension makes of it. */
async function expectStored(w: World, { ends }: Scenario): Promise<void> {
  await w.keyring.refresh()
  const active = `rs1.${w.keyring.activeKeyId!.toString(16).padStart(8, '0')}.`
  const prefix = { 'under the active key': active, sealed: 'rs1.', 'in plaintext': null }[ends]
  const rows = await w.plain.note.findMany(byId)
  for (const { id, text, doc, phone, login } of rows)
    for (const value of [text, doc, phone, login]) {
      if (value === null) continue
      const isSealed = typeof value === 'string' && value.startsWith(prefix ?? 'rs1.')
      expect([id, isSealed]).toEqual([id, prefix !== null])
    }
}

/** Nobody works on it any more, and nobody has to. */
async function expectEnded(w: World, { name, kind }: Scenario): Promise<void> {
  const runs = await w.query(
    `SELECT r.direction AS direction, r.state AS state, r.reason AS reason, p.owner AS owner, p.progress AS progress
FROM rowseal_runs r JOIN rowseal_parts p ON p.model = r.model AND p.kind = r.kind AND p.run = r.run WHERE r.kind = '${kind}'`,
  )
  const run = { direction: name, state: 'succeeded', reason: null }
  expect(runs).not.toEqual([])
  for (const part of runs) expect(part).toEqual({ ...run, owner: null, progress: 'closed' })
}

/** By the migrator's own look at all values and indexes, and by one at each index that does not use it. */
export async function expectVerified(table: Table, scenario: Scenario): Promise<void> {
  const w = worldOf(table, scenario)
  const report = await verify(w.config)
  expect(report).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })
  if (scenario.ends === 'under the active key') expect((await status(w.config)).stale).toBe(0)
  await expectIndexes(w)
}

/** A row is found by what it holds, and its columns are under one key of each index at most. */
async function expectIndexes(w: World): Promise<void> {
  const view = await w.keyring.index.view()
  const active = w.keyring.index.keys().find(({ state }) => state === 'active')!.keyId
  const hashes = (column: string, names: any, text: string | null): (string | null)[] => {
    if (text === null) return [null]
    const key = view.key(`Note.${column}`, active)
    return [indexValue(key, normalize(names, text))]
  }
  const rows = await w.plain.note.findMany(byId)
  for (const [i, note] of (await readNotes(w)).entries()) {
    const { id, phoneIndex, loginIndex, loginOther } = rows[i]
    expect([id, phoneIndex]).toEqual([id, ...hashes('phoneIndex', ['digits'], note.phone)])
    const slots = ['loginIndex', 'loginOther'] as const
    const right = slots.map((slot) => hashes(slot, ['lowercase'], note.login)[0])
    expect([loginIndex === right[0], loginOther === right[1]]).toContain(true)
  }
}
