import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'

const SRC = new URL('../src', import.meta.url).pathname
const CLI = join(SRC, 'cli')
/** Tools such as a language has: nobody would run them. */
const TOOLS = ['given.ts']

interface Named {
  /** Path of the file that has it, from `src`. */
  readonly file: string
  readonly name: string
}

/** What a file imports by name, types aside, or exports from others. */
function named(path: string, word: 'import' | 'export'): Named[] {
  const statements = readFileSync(path, 'utf8').matchAll(
    new RegExp(`^${word} \\{([^}]*)\\} from '(\\.[^']+)'`, 'gm'),
  )
  return [...statements].flatMap(([, names = '', from = '']) => {
    const file = relative(SRC, join(dirname(path), from))
    const all = names.split(',').map((name) => name.trim())
    return all
      .filter((name) => name !== '' && !name.startsWith('type '))
      .map((name) => ({ file, name }))
  })
}

it('the command line does nothing that the library does not export', () => {
  const exported = new Set(named(join(SRC, 'index.ts'), 'export').map(textOf))
  const files = readdirSync(CLI, { recursive: true, encoding: 'utf8' })
  const imported = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => named(join(CLI, file), 'import'))
    .filter(({ file }) => !file.startsWith('cli/') && !TOOLS.includes(file))
  expect(imported.length).toBeGreaterThan(40)
  expect(imported.map(textOf).filter((text) => !exported.has(text))).toEqual([])
})

function textOf({ file, name }: Named): string {
  return `${name} of ${file}`
}
