import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** For a longer one: `npm run test:history -- --minutes 30 --seed 7`. */
const MINUTES = process.env['ROWSEAL_HISTORY_MINUTES'] ?? '0.6'
const SEED = process.env['ROWSEAL_HISTORY_SEED'] ?? '20'

it('a short history with kills, rotations and faults has no violation', () => {
  const cwd = new URL('..', import.meta.url).pathname
  const clock = './processes/skewed-clock.mjs'
  const args = ['--minutes', MINUTES, '--seed', SEED]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--import', clock, 'run.ts', ...args],
    { cwd, encoding: 'utf8', env: { ...process.env, NODE_NO_WARNINGS: '1' } },
  )
  console.info(stdout)
  expect([status, stderr]).toEqual([0, ''])
  expect(stdout).toContain('No violation.')
}, 300_000)
