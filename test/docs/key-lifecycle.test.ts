import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  INDEX_PERMITTED,
  PERMITTED,
  TRANSITIONS,
} from '../../packages/prisma-extension/src/keys/index.ts'

const page = readFileSync(new URL('../../docs/spec/key-lifecycle.md', import.meta.url), 'utf8')

/** The cells of the tables' rows that have so many. */
const rowsOf = (cells: number): string[][] =>
  [...page.matchAll(/^\| `.*\|$/gm)]
    .map(([row]) => row.split('|').slice(1, -1))
    .filter((row) => row.length === cells)
    .map((row) => row.map((cell) => cell.trim().replaceAll('`', '')))

it('docs/spec/key-lifecycle.md says what each state permits', () => {
  const word = (is: boolean): string => (is ? 'yes' : 'no')
  const states = Object.keys(PERMITTED) as (keyof typeof PERMITTED)[]
  expect(rowsOf(5)).toEqual(
    states.map((state) => [
      state,
      word(PERMITTED[state].protect),
      word(PERMITTED[state].process),
      word(INDEX_PERMITTED[state].write),
      word(INDEX_PERMITTED[state].match),
    ]),
  )
})

it('docs/spec/key-lifecycle.md lists every transition with its reason, and no other', () => {
  const arrows = Object.entries(TRANSITIONS).flatMap(([from, reasons]) =>
    Object.entries(reasons).map(([to, reason]) => [from, to, reason]),
  )
  expect(rowsOf(3).map((row) => row.join(' '))).toEqual(arrows.map((row) => row.join(' ')))
})
