import { spawnSync } from 'node:child_process'
import { hasMariadb } from '@rowseal/test-support'
import { expect, it } from 'vitest'

/** For a longer one: `npm run test:history -- --minutes 30 --seed 7`. */
const MINUTES = process.env['ROWSEAL_HISTORY_MINUTES'] ?? '1'

const SEEDS = [
  ['postgresql', '20'],
  ['mysql', '21'],
].filter(([provider]) => provider !== 'mysql' || hasMariadb())

it.each(SEEDS)(
  'a short history on %s with kills, rotations and faults has no violation',
  (provider, seed) => {
    const cwd = new URL('..', import.meta.url).pathname
    const clock = './processes/skewed-clock.mjs'
    const args = ['--minutes', MINUTES, '--seed', seed, '--provider', provider]
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--import', clock, 'run.ts', ...args],
      { cwd, encoding: 'utf8', env: { ...process.env, NODE_NO_WARNINGS: '1' } },
    )
    console.info(stdout)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('No violation.')
  },
  300_000,
)
