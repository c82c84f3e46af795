import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/threat-model.md', ROOT), 'utf8')
const sections = page.split('\n## ').slice(1)

/** As it may stand in a source: in quotes of any kind, on one line or broken. */
const bare = (text: string): string => text.replace(/\\(['"`])/g, '$1').replace(/\s+/g, ' ')

it.each([
  'Database reader',
  'Backup thief',
  'Log reader',
  'Database writer',
  'Key store writer',
  'KMS-less insider',
  'Compromised instance',
  'KMS administrator',
])('the threat model says what holds against: %s', (adversary) => {
  expect(sections.filter((text) => text.startsWith(`${adversary}\n`))).toHaveLength(1)
})

describe('each line of the threat model', () => {
  const lines = sections.flatMap((text) =>
    text.split('\n').filter((line) => /^\| (?!-|What )/.test(line)),
  )

  it('is there', () => {
    expect(lines.length).toBeGreaterThan(50)
  })

  it.each(lines.map((line) => [line.split('|')[1]!.trim(), line]))('%s: names a test that exists', (_, line) => {
    const named = [...line.matchAll(/`([\w/.-]+\.ts)` “([^”]+)”/g)]
    expect(named).toHaveLength(1)
    for (const [, path, name] of named) {
      const file = new URL(path!.startsWith('packages/') ? path! : `packages/prisma-extension/test/${path!}`, ROOT)
      expect(existsSync(file), path).toBe(true)
      expect(bare(readFileSync(file, 'utf8'))).toContain(name)
    }
  }) // prettier-ignore
})
