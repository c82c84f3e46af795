import { COMPARISONS, NESTED_WRITES, OPERATIONS, REFUSED } from '../../src/query/matrix.ts'
import { CLAUSES } from './cells.ts'

/** The tables of docs/spec/query-rewriting.md, from the table that drives the code. By their names there. */
export function tables(): Readonly<Record<string, string>> {
  return {
    operations: table(
      ['Operation', 'Arguments and what stands there', 'Result'],
      Object.entries(OPERATIONS).map(([name, operation]) => [
        code(name),
        argumentsOf(operation.arguments),
        operation.result === 'rows' ? 'records, opened' : 'counts and plain values',
      ]),
    ),
    places: table(
      ['Place', 'Clause', 'Treatment'],
      Object.entries(CLAUSES).flatMap(([place, clauses]) =>
        Object.entries(clauses).map(([clause, treatment]) => [place, nameOf(clause), treatment]),
      ),
    ),
    comparisons: table(
      ['Comparison', 'With a blind index', 'Otherwise, do instead'],
      Object.entries(COMPARISONS).map(([name, treatment]) =>
        treatment === 'index'
          ? [code(name), 'rewritten', 'add a blind index']
          : [code(name), 'refused', treatment.instead],
      ),
    ),
    'nested writes': table(
      ['Nested write', 'Rows it names', 'Data'],
      Object.entries(NESTED_WRITES).map(([name, holds]: [string, readonly string[]]) => [
        code(name),
        holds.includes('unique')
          ? 'by a unique field, rewritten; for a single relation by a filter'
          : holds.includes('filter')
            ? 'by a filter, rewritten'
            : 'none',
        holds.includes('data') ? 'sealed, indexes written' : 'none',
      ]),
    ),
    refused: table(
      ['Clause', 'An encrypted field', 'Do instead'],
      Object.entries(REFUSED).map(([clause, [problem, fix]]) => [code(clause), problem, fix]),
    ),
  }
}

/** Arguments in groups of one kind, in the order of the table. */
function argumentsOf(places: Readonly<Record<string, string>>): string {
  const groups = new Map<string, string[]>()
  for (const [argument, place] of Object.entries(places)) {
    groups.set(place, [...(groups.get(place) ?? []), code(argument)])
  }
  return [...groups].map(([place, names]) => `${place}: ${names.join(' ')}`).join(' · ')
}

function nameOf(clause: string): string {
  return Object.hasOwn(COMPARISONS, clause) ? code(clause) : clause
}

function code(text: string): string {
  return `\`${text}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
