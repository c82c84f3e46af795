import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Where Debian's Chromium is, or another one that the PATH has; null if there is none, which is said in one line.
 *
 * @throws if there is none and ROWSEAL_REQUIRE_SERVICES=1.
 */
export function chromiumPath(): string | null {
  const folders = (process.env['PATH'] ?? '').split(':')
  const paths = [...folders, '/usr/bin'].map((folder) => join(folder, 'chromium'))
  const found = paths.find((path) => existsSync(path))
  if (found !== undefined) return found
  const line = 'There is no chromium on the PATH.'
  if (process.env['ROWSEAL_REQUIRE_SERVICES'] === '1') throw new Error(line)
  console.warn(`SKIPPING the tests that need it. ${line}`)
  return null
}
