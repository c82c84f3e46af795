import { afterEach, describe, expect, it } from 'vitest'
import { drain } from '../../src/index.ts'
import { closeWorlds, PROVIDERS } from '../world.ts'
import { SCENARIOS } from './directions.ts'
import { fillSealed, openTable, QUICK } from './notes.ts'
import { expectProof, readNotes } from './proof.ts'

afterEach(closeWorlds)

const DRAIN = SCENARIOS.find(({ name }) => name === 'drain')!

describe.each(PROVIDERS)('an instance that is late, on %s', (provider) => {
  it('commits under a former key what a drain has gone over already, and it is met', async () => {
    const table = await openTable(provider, QUICK)
    const notes = await fillSealed(table, 6)
    const { plain, sealed, config, rotate } = table.sealed
    const late: string = await sealed.$rowseal.seal('Note.text', 'late')
    await rotate()
    const passes: number[] = []
    let committed = 0
    const report = await drain(config, {
      maxTransactionMs: 2500,
      onEvent: (event) => {
        if (event.type === 'pass') passes.push(event.pass)
        if (event.type !== 'wait') return
        committed = passes.length
        plain.note.update({ where: { id: 2 }, data: { text: late } }).catch(() => undefined)
      },
    })
    // After the first pass, and before the last.
    expect([committed, report.outcome]).toEqual([1, 'done'])
    expect(passes.length).toBeGreaterThan(2)
    const expected = notes.map((note) => (note.id === 2 ? { ...note, text: 'late' } : note))
    expect(await readNotes(table.sealed)).toEqual(expected)
    await expectProof(table, DRAIN, expected)
  })
})
