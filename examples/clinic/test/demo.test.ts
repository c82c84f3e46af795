import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BREAKABLE } from '../demo/options.ts'

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The demo as a person starts it, once `scripts/setup.mjs` has run. */
async function demo(...args: string[]): Promise<Ended> {
  const run = fileURLToPath(new URL('../run.mjs', import.meta.url))
  const child = spawn(process.execPath, [run, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const code = await new Promise<number | null>((done) => child.on('close', done))
  return { code, stdout, stderr }
}

describe.concurrent('the demo', () => {
  it.each(['sqlite', 'postgres'])('holds all it promises on %s', async (db) => {
    const { code, stdout, stderr } = await demo('--json', '--patients', '120', '--db', db)
    const facts = JSON.parse(stdout)
    expect(facts, stderr).toMatchObject({
      ok: true,
      patients: 120,
      rows: { Staff: 60, Patient: 120, Encounter: 120, Document: 15, IntakeForm: 60 },
      status: { stale: 0 },
    })
    expect(facts.checks.map((check: { name: string }) => check.name)).toEqual([...BREAKABLE])
    expect(facts.digests.read).toEqual(facts.digests.written)
    expect(facts.lazy.freshRows).toEqual(facts.lazy.rowsRead)
    expect(Object.values(facts.seconds).every(Number.isFinite)).toBe(true)
    expect(code).toBe(0)
  })

  it.each(BREAKABLE)('fails and says so when %s is spoilt', async (name) => {
    const { code, stdout, stderr } = await demo('--json', '--patients', '20', '--break', name)
    const { ok, checks } = JSON.parse(stdout)
    expect(
      checks.find((check: { name: string }) => check.name === name),
      stderr,
    ).toMatchObject({
      ok: false,
    })
    expect(ok).toBe(false)
    expect(code).toBe(1)
  })

  it('searches the files of PostgreSQL too', async () => {
    const args = ['--db', 'postgres', '--patients', '20', '--break', 'database files', '--json']
    const { code, stdout } = await demo(...args)
    const check = JSON.parse(stdout).checks.find(({ name }: any) => name === 'database files')
    expect(check).toMatchObject({ ok: false, says: expect.stringContaining('as base64') })
    expect(code).toBe(1)
  })

  it('leaves nothing behind', async () => {
    const { stdout } = await demo('--patients', '20')
    const [folder] = /\S*rowseal-clinic-\w+/.exec(stdout)!
    expect(existsSync(folder)).toBe(false)
  })

  it('tells misuse from failure', async () => {
    const { code, stderr } = await demo('--db', 'oracle')
    expect(stderr).toContain('--db takes sqlite, postgres')
    expect(code).toBe(2)
  })
})
