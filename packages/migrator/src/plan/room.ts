import { sizeOfBytes, sizeOfText } from '@rowseal/prisma-extension/envelope'
import { plaintextCondition, type Table } from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import type { StrategyField } from '../engine/strategy.ts'
import { countRows, type Target, type TargetField } from '../targets.ts'
import type { Room } from './run-plan.ts'
import { isByKms, type SampledField } from './sample.ts'

/** No value is larger. */
const MAX_BYTES = 16 * 1024 * 1024

/** @param changing - values that would change. */
export async function roomOf(
  context: Context,
  target: Target,
  { field, becomes }: StrategyField,
  sampled: SampledField | null,
  changing: number,
  isPlaintext: boolean,
): Promise<Room | null> {
  const { maxLength } = field.column.database
  if (maxLength === null || field.column.list || becomes === 'plaintext') return null
  const fitsBytes = isByKms(field) ? null : longestThatFits(field, maxLength)
  if (isPlaintext && fitsBytes !== null && field.spec.type !== 'Json') {
    const isPlain = plaintextCondition(target.table, field.column)
    const size = bytesOf(target.table, field)
    const tooLong = await countRows(context, target, `(${isPlain}) AND ${size} > ${fitsBytes}`)
    return { maxLength, fitsBytes, tooLong, by: 'table' }
  }
  const share = sampled === null ? 0 : sampled.tooLong / Math.max(1, sampled.values)
  return { maxLength, fitsBytes, tooLong: Math.ceil(share * changing), by: 'sample' }
}

/** Bytes of the longest value whose envelope a column holds: sizes never shrink as values grow. */
function longestThatFits({ column: { kind }, spec: { pad } }: TargetField, max: number): number {
  const size = kind === 'bytes' ? sizeOfBytes : sizeOfText
  // JSON stands in quotes.
  const quotes = kind === 'json' || kind === 'jsonb' ? 2 : 0
  let [low, high] = [0, MAX_BYTES]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (size(middle, pad) + quotes <= max) low = middle
    else high = middle - 1
  }
  return low
}

/** SQL for the bytes that a value has as it is sealed: of UTF-8. */
function bytesOf({ provider }: Table, { column: { name, kind } }: TargetField): string {
  if (provider !== 'mysql')
    return `octet_length(t.${name}${kind === 'text' && provider === 'postgresql' ? '::text' : ''})`
  return kind === 'bytes' ? `LENGTH(t.${name})` : `LENGTH(CONVERT(t.${name} USING utf8mb4))`
}
