import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Data flows one way: a folder imports only from folders to its left, and from errors.ts. */
const ORDER = ['schema', 'plan', 'sql', 'keys', 'envelope', 'query', 'client']
const SRC = new URL('../src/', import.meta.url).pathname

interface Import {
  readonly file: string
  readonly from: string
  readonly to: string
}

function imports(): Import[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) =>
    f.endsWith('.ts'),
  )
  return files.flatMap((file) => {
    const text = readFileSync(join(SRC, file), 'utf8')
    return [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, target]) => {
      const isRelative = target!.startsWith('.')
      const to = isRelative ? relative(SRC, resolve(dirname(join(SRC, file)), target!)) : target!
      return { file, from: file.split('/')[0]!, to }
    })
  })
}

describe('module boundaries', () => {
  it('a folder imports only from folders to its left', () => {
    const wrong = imports().filter(({ from, to }) => {
      const target = to.split('/')[0]!
      if (!ORDER.includes(from) || !ORDER.includes(target) || from === target) return false
      return ORDER.indexOf(target) > ORDER.indexOf(from)
    })
    expect(wrong).toEqual([])
  })

  it('keys and envelope do not import each other', () => {
    const wrong = imports().filter(
      ({ from, to }) =>
        (from === 'keys' && to.startsWith('envelope/')) ||
        (from === 'envelope' && to.startsWith('keys/')),
    )
    expect(wrong).toEqual([])
  })

  it('nothing in production imports the generator', () => {
    const wrong = imports().filter(
      ({ from, to }) => from !== 'generator' && to.startsWith('generator/'),
    )
    expect(wrong).toEqual([])
  })

  it('@prisma/* is imported only by client, generator and the SQL key store', () => {
    const wrong = imports().filter(
      ({ file, from, to }) =>
        to.startsWith('@prisma/') &&
        !['client', 'generator'].includes(from) &&
        file !== 'keys/stores/sql.ts',
    )
    expect(wrong).toEqual([])
  })

  it('@aws-sdk/* is imported only by the KMS provider, and that by nothing else', () => {
    const isAws = (name: string): boolean => /(^|\/)providers\/aws-kms/.test(name)
    const wrong = imports().filter(
      ({ file, to }) => (to.startsWith('@aws-sdk/') || isAws(to)) && !isAws(file),
    )
    expect(wrong).toEqual([])
    expect(imports().some(({ to }) => to.startsWith('@aws-sdk/'))).toBe(true)
  })

  it('finds the imports it judges', () => {
    expect(imports().length).toBeGreaterThan(50)
  })
})
