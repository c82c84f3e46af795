import { keyIdHex } from '../fence-name.ts'
import { MAGIC_HEX } from '../prefix.ts'
import type { SealedColumn } from '../table.ts'

/**
 * MySQL looks up no expression in an index, but it does look up ranges of the column itself, also in an index
 * on its first characters. Every value under one of the key ids is in one of these ranges. Others may be too:
 * a collation takes "RS1" for "rs1".
 */

/** More ranges than this take longer to plan than a table takes to read. */
const MAX_RANGES = 2_000

const [PERCENT, UNDERSCORE, ESCAPE] = [0x25, 0x5f, 0x7c] as const
const LIKE_SPECIAL: ReadonlySet<number> = new Set([PERCENT, UNDERSCORE, ESCAPE])

/** A condition that is true for every value under one of the key ids. Null where no range can be given. */
export function mysqlRanges(
  column: SealedColumn,
  sql: string,
  keyIds: readonly number[],
): string | null {
  const ranges = rangesOf(column, sql, keyIds)
  return ranges === null || ranges.length > MAX_RANGES ? null : ranges.join(' OR ')
}

/** Can a column of this type have such ranges? */
export function hasMysqlRanges(column: SealedColumn): boolean {
  return rangesOf(column, '', [0]) !== null
}

function rangesOf(
  column: SealedColumn,
  sql: string,
  keyIds: readonly number[],
): readonly string[] | null {
  switch (column.kind) {
    case 'text':
      return keyIds.map((keyId) => `${sql} LIKE 'rs1.${keyIdHex(keyId)}.%'`)
    case 'bytes':
      return keyIds.map((keyId) => bytesRange(sql, keyId))
    default:
      return jsonRanges(column, sql, keyIds)
  }
}

/** No `>=` and `<`: of an index on first bytes, "less than the next prefix" would be "up to the next prefix". */
function bytesRange(sql: string, keyId: number): string {
  const bytes = Buffer.from(MAGIC_HEX + keyIdHex(keyId), 'hex')
  const escaped = [...bytes].flatMap((byte) => (LIKE_SPECIAL.has(byte) ? [ESCAPE, byte] : [byte]))
  const pattern = Buffer.from([...escaped, PERCENT]).toString('hex')
  return `${sql} LIKE x'${pattern}' ESCAPE '|'`
}

/**
 * MariaDB keeps JSON as the text that was written. It means the same with white space before it, and with
 * characters written as escapes: what has one of those before the prefix ends is in a range too. MySQL's own
 * type has no ranges, and under another collation than a binary one they would not be where they are looked for.
 */
function jsonRanges(
  { database: { type, collation = '' } }: SealedColumn,
  sql: string,
  keyIds: readonly number[],
): readonly string[] | null {
  if (type === 'json' || !collation.endsWith('_bin')) return null
  const ranges = new Set([`${sql} < '"'`])
  for (const keyId of keyIds) {
    const prefix = `"rs1.${keyIdHex(keyId)}`
    // From "-", which comes before ".": under most collations spaces are added to what is shorter.
    ranges.add(`${sql} >= '${prefix}-' AND ${sql} < '${prefix}/'`)
    // The backslash is between "[" and "]".
    for (let end = 1; end <= prefix.length; end++) {
      const before = prefix.slice(0, end)
      ranges.add(`${sql} >= '${before}[' AND ${sql} < '${before}]'`)
    }
  }
  return [...ranges]
}
