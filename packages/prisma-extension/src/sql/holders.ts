import type { Statement } from './client.ts'
import { Params, quote } from './dialect.ts'
import { keyFromText, keyToText } from './keys.ts'
import type { SealedColumn, Table } from './table.ts'

/** More would be no help. */
const MAX_HOLDERS = 10

/**
 * A statement that finds the rows because of which a row cannot have a value in a unique column. Gives up
 * to 10 rows with the key in text form, `k0`, `k1` ….
 *
 * @param key - of the row, in text form.
 * @param others - of each unique constraint over the column, its other columns as the database names
 *   them: none if it is unique by itself.
 */
export function holdersStatement(
  table: Table,
  column: SealedColumn,
  value: string,
  key: readonly string[],
  others: readonly (readonly string[])[],
): Statement {
  const { provider } = table
  const params = new Params(provider)
  const given = (text: unknown): string => {
    const param = params.add(text)
    return provider === 'postgresql' ? `${param}::text` : param
  }
  const keys = table.key.map((one, i) => `${keyToText(provider, one, `t.${one.name}`)} AS k${i}`)
  // So that the unique index serves: what all collations take for equal is ASCII here.
  const holds = `t.${column.name} = ${given(value)}`
  const own = table.key.map(
    (one, i) => `m.${one.name} = ${keyFromText(provider, one, given(key[i]))}`,
  )
  const isSame = others.map((names) =>
    [
      '1 = 1',
      ...names.map((name) => `m.${quote(provider, name)} = t.${quote(provider, name)}`),
    ].join(' AND '),
  )
  const among = isSame.length === 0 ? '1 = 1' : isSame.map((same) => `(${same})`).join(' OR ')
  return {
    sql: `SELECT ${keys.join(', ')} FROM ${table.name} AS t WHERE ${holds} AND EXISTS (SELECT 1 FROM ${table.name} AS m WHERE ${own.join(' AND ')} AND (${among})) LIMIT ${MAX_HOLDERS}`,
    params: params.list,
  }
}
