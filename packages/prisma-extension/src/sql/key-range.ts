import type { Params } from './dialect.ts'
import { keyFromText } from './keys.ts'
import type { Table } from './table.ts'

/** Where a part of a table begins and ends, in the order of its key. */
export interface KeyRange {
  /** Key of the last row before it, in text form; null for the beginning of the table. */
  readonly after: readonly string[] | null
  /** Key of its last row; null or absent for the end of the table. */
  readonly until?: readonly string[] | null
}

/** Conditions that are true for the keys in a range. `key` is what they are compared by. */
export function inRange(
  table: Table,
  key: readonly string[],
  { after, until }: KeyRange,
  params: Params,
): readonly string[] {
  return [
    ...(after === null ? [] : [compareKey(table, key, after, params, '>', '>')]),
    ...(until == null ? [] : [compareKey(table, key, until, params, '<', '<=')]),
  ]
}

/** MySQL looks up no range in an index for a comparison of tuples: it is written out there. */
function compareKey(
  table: Table,
  key: readonly string[],
  values: readonly string[],
  params: Params,
  operator: '<' | '>',
  lastOperator: '<=' | '>',
): string {
  const { provider } = table
  const given = (i: number): string => {
    const param = params.add(values[i])
    const text = provider === 'postgresql' ? `${param}::text` : param
    return keyFromText(provider, table.key[i]!, text)
  }
  if (provider !== 'mysql')
    return `${tuple(key)} ${lastOperator} ${tuple(key.map((_, i) => given(i)))}`
  const beyond = (i: number): string => {
    const name = key[i] ?? ''
    return i === key.length - 1
      ? `${name} ${lastOperator} ${given(i)}`
      : `(${name} ${operator} ${given(i)} OR ${name} = ${given(i)} AND ${beyond(i + 1)})`
  }
  return beyond(0)
}

function tuple(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`
}
