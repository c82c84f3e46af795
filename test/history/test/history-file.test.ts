import { expect, it } from 'vitest'
import { eventsOf, operationsOf } from '../history.ts'

const lines = (...all: object[]): string => all.map((line) => `${JSON.stringify(line)}\n`).join('')
const start = { at: 'start', n: 1, us: 10, kind: 'update', writes: { 'Note:1': 'a' } }
const end = { at: 'end', n: 1, us: 20, outcome: 'ok' }

it('what was answered has its start and its end', () => {
  expect(eventsOf('app', lines(start, end))).toMatchObject([
    { process: 'app', start: 10, end: 20, outcome: 'ok', writes: { 'Note:1': 'a' } },
  ])
})

it('nobody knows of what was sent when the process was killed, also in the middle of a line', () => {
  for (const rest of ['', lines(end).slice(0, 20)])
    expect(eventsOf('app', lines(start) + rest)).toMatchObject([
      { start: 10, end: Infinity, outcome: 'indeterminate' },
    ])
})

it('a record that is not there is as it was at first, or as whoever deleted it has left it', () => {
  const read = { at: 'start', n: 2, us: 30, kind: 'read' }
  const nothing = { at: 'end', n: 2, us: 40, outcome: 'ok', reads: { 'Note:1': null } }
  const valuesRead = (writes: object): string[] =>
    operationsOf(eventsOf('app', lines({ ...start, writes }, end, read, nothing)))
      .filter(({ kind }) => kind === 'read')
      .map(({ value }) => value)
  expect(valuesRead({ 'Note:1': 'a' })).toEqual(['absent'])
  expect(valuesRead({ 'Note:1': 'deleted' })).toEqual(['deleted'])
})
