import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MigrationError, failedReport, RunRecorder } from '../../src/index.ts'
import { Command } from '../command.ts'
import { closeWorlds, world } from '../world.ts'

const model = (name: string): string => `
model ${name} {
  id   Int    @id
  /// @encrypted
  text String
}
`

describe('the report of a run that ends with an error', () => {
  let command: Command
  let file: string
  beforeAll(async () => {
    const w = await world('sqlite', model('First') + model('Second'))
    const rows = Array.from({ length: 60 }, (_, id) => ({ id, text: `Secret ${id}` }))
    await w.sealed.first.createMany({ data: rows })
    await w.sealed.second.createMany({ data: rows })
    await w.rotate()
    await w.run(`CREATE TRIGGER broken BEFORE UPDATE OF checkpoint ON rowseal_parts
WHEN NEW.model = 'Second' AND NEW.checkpoint IS NOT NULL BEGIN SELECT RAISE(ABORT, 'Secret 7'); END`)
    command = new Command(w)
    file = join(command.folder, 'report.html')
  })
  afterAll(async () => {
    command.remove()
    await closeWorlds()
  })

  it('is not written by who has misused the command', async () => {
    expect((await command.run('drain', '--batch-rows', '0', '--report', file)).code).toBe(2)
    expect(existsSync(file)).toBe(false)
  })

  it('shows what was reached, and the error by code and message', async () => {
    const { code, stderr } = await command.run('drain', '--now', '--report', file)
    const page = readFileSync(file, 'utf8')
    expect(code).toBe(1)
    expect(stderr).toMatch(/The report is in .*report\.html\.\nERR_DATABASE_FAILED: /)
    expect(page).toContain('<title>rowseal drain: failed</title>')
    expect(page).toMatch(/ERR_DATABASE_FAILED.*The database refused a statement/s)
    expect(cells(page, 'First')).toEqual(['gone over', '60', '0', '0', '2'])
    expect(cells(page, 'Second')).toEqual(['in hand', '0', '0', '0', '0'])
    expect(page).not.toMatch(/Secret|rs1\.|NaN|undefined|\/(tmp|root|home|usr)\//)
  })

  it('never hides the error where it cannot be written', async () => {
    const { code, stderr } = await command.run('drain', '--now', '--report', '/dev/full')
    expect(code).toBe(1)
    expect(stderr).toMatch(/could not be written to \/dev\/full: ENOSPC\.\nERR_DATABASE_FAILED/)
  })

  it('tells no address, path or foreign error', () => {
    const message =
      'Not arn:aws:kms:eu-1:123:key/abc, nor redis://u:p@h:1/0 or db.host:5432, nor /etc/a b'
    const error = new MigrationError('ERR_CONFIG_INVALID', message, {
      fix: 'See 1/2 and `npx rowseal init`.',
    })
    const recording = new RunRecorder(() => 0).recording()
    const page = failedReport('drain', error, recording, [])
    expect(page).toContain('Not …, nor … or …, nor … b See 1/2 and `npx rowseal init`.')
    expect(failedReport('drain', new Error('Secret 7'), recording, [])).not.toContain('Secret')
  })
})

function cells(page: string, name: string): string[] {
  const row = page.split('<tr').find((text) => text.includes(`scope="row">${name}<`)) ?? ''
  return [...row.matchAll(/<td[^>]*><span>([^<]*)<\/span>/g)].map(([, text]) => text!)
}
