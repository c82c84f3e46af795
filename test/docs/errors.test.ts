import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

/** Of Node, when it loads a file. */
const NODES = 'ERR_UNKNOWN_FILE_EXTENSION'
const ROOT = new URL('../../', import.meta.url).pathname

function codesInSources(): Set<string> {
  const codes = new Set<string>()
  for (const name of ['prisma-extension', 'migrator']) {
    const folder = join(ROOT, 'packages', name, 'src')
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue
      const text = readFileSync(join(folder, file), 'utf8')
      for (const [code] of text.matchAll(/(?<=')ERR_[A-Z_]+(?=')/g)) codes.add(code)
    }
  }
  codes.delete(NODES)
  return codes
}

it('docs/errors.md lists every code of the sources, and no other', () => {
  const documented = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').matchAll(
    /^\| `(ERR_[A-Z_]+)`/gm,
  )
  expect([...documented].map(([, code]) => code).sort()).toEqual([...codesInSources()].sort())
})
