import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('a call of a guarded root key that hangs keeps no process alive', () => {
  const path = fileURLToPath(new URL('hanging-child.ts', import.meta.url))
  const child = spawnSync(process.execPath, ['--import', 'tsx', path], { timeout: 50_000 })
  expect([child.status, child.signal, child.stdout.toString()]).toEqual([0, null, 'asked\n'])
})
