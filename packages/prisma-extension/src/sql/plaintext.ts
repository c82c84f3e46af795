import type { Provider } from '../plan/index.ts'
import { bytesLiteral, bytesPart, content, MAGIC_HEX, textPart } from './prefix.ts'
import type { SealedColumn, Table } from './table.ts'

/**
 * What every envelope begins with, and no longer than the shortest one is (docs/spec/envelope-v1.md#sizes):
 *
 *   text    `rs1.` ‖ key id, 8 hex digits ‖ `.` ‖ 44 characters of base64url      57 characters
 *   bytes   52 53 01 ‖ key id ‖ body                                              40 bytes
 */
const TEXT_CHARS = 57
const BODY_CHARS = 44
const BYTES = 40

/**
 * A condition that is true where a column `t.…` holds something that is no envelope: plaintext, and what only
 * begins like an envelope, as far as the first characters tell.
 */
export function plaintextCondition({ provider }: Table, column: SealedColumn): string {
  const isPlain = (sql: string): string =>
    `(${sql} IS NOT NULL AND NOT COALESCE(${isEnvelope(provider, column, sql)}, false))`
  const name = `t.${column.name}`
  if (!column.list) return isPlain(name)
  return `EXISTS (SELECT 1 FROM unnest(${name}) AS e WHERE ${isPlain('e')})`
}

function isEnvelope(provider: Provider, column: SealedColumn, sql: string): string {
  if (column.kind === 'bytes')
    return `${bytesPart(sql, 1, 3)} = ${bytesLiteral(provider, MAGIC_HEX)} AND length(${sql}) >= ${BYTES}`
  const start = textPart(provider, content(provider, column, sql), TEXT_CHARS)
  const hex = '[0-9a-f]'
  const base64url = '[0-9A-Za-z_-]'
  const pattern = `^rs1[.]${hex}{8}[.]${base64url}{${BODY_CHARS}}$`
  switch (provider) {
    case 'postgresql':
      return `${start} ~ '${pattern}'`
    case 'sqlite':
      return `${start} GLOB 'rs1.${hex.repeat(8)}.${base64url.repeat(BODY_CHARS)}'`
    case 'mysql':
      return `${start} REGEXP '${pattern}'`
  }
}
