import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Check } from '../demo/checks.ts'
import { BREAKABLE, type Breakable } from '../demo/options.ts'

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

/** Spoil some things, and tell what the checks found. */
async function spoil(names: readonly Breakable[], ...args: string[]): Promise<Map<string, string>> {
  const breaks = names.flatMap((name) => ['--break', name])
  const { code, stdout, stderr } = await demo('--json', '--patients', '20', ...breaks, ...args)
  const facts = JSON.parse(stdout)
  expect(facts.ok, stderr).toBe(false)
  expect(code).toBe(1)
  const failed = facts.checks.filter(({ ok }: Check) => !ok)
  return new Map(failed.map(({ name, says }: Check) => [name, says]))
}

describe.concurrent('the demo', () => {
  it.each(['sqlite', 'postgres'])('holds all it promises on %s', async (db) => {
    const { code, stdout, stderr } = await demo('--json', '--patients', '120', '--db', db)
    const facts = JSON.parse(stdout)
    expect(facts, stderr).toMatchObject({
      ok: true,
      patients: 120,
      rows: { Staff: 60, Patient: 120, Encounter: 120, Document: 15, IntakeForm: 60 },
      lazy: { rowsRead: 61, rowsFresh: 61 },
      status: { stale: 0 },
    })
    expect(facts.checks.map(({ name }: Check) => name)).toEqual([...BREAKABLE])
    for (const { written, read } of Object.values<any>(facts.digests)) expect(read).toBe(written)
    expect(Object.values(facts.seconds).every(Number.isFinite)).toBe(true)
    expect(code).toBe(0)
    const [folder] = /\S*rowseal-clinic-\w+/.exec(stderr)!
    expect(existsSync(folder), 'it leaves nothing behind').toBe(false)
  })

  it('fails when rows are stale, swapped, touched, or were in the clear for a moment', async () => {
    const found = await spoil(['fresh', 'status', 'values', 'updatedAt', 'database files'])
    expect([...found.keys()]).toEqual(['fresh', 'status', 'values', 'updatedAt', 'database files'])
    expect(found.get('values')).toBe('Encounter differs')
    expect(found.get('database files')).toMatch(/^clinic\.db(-wal)? holds a sentinel as base64$/)
  })

  it('fails when values are cut short, and when sentinels are logged or printed', async () => {
    const found = await spoil(['verify', 'logs', 'output'])
    expect([...found.keys()]).toEqual(['verify', 'values', 'logs', 'output'])
    expect(found.get('values')).toMatch(/^Staff ERR_ENVELOPE_/)
    expect(found.get('logs')).toBe('prisma.log holds a sentinel as text')
    expect(found.get('output')).toBe('a sentinel was printed as hex')
  })

  it('searches the files and the log of PostgreSQL too', async () => {
    const found = await spoil(['database files'], '--db', 'postgres')
    expect([...found.keys()]).toEqual(['database files', 'logs'])
    expect(found.get('database files')).toContain('holds a sentinel as base64')
    expect(found.get('logs')).toBe('postgresql.log holds a sentinel as base64')
  })

  it('tells misuse from failure', async () => {
    const { code, stderr } = await demo('--db', 'oracle')
    expect(stderr).toContain('--db takes sqlite, postgres')
    expect(code).toBe(2)
  })
})
