import type { Provider } from '../plan/index.ts'
import { keyIdHex } from './fence-name.ts'
import type { SealedColumn } from './table.ts'

/**
 * Is a value under a key id? By its fixed-width prefix (docs/spec/envelope-v1.md#layout,
 * docs/spec/blind-index-v1.md), as the database itself can tell for each row that is written. Compared as
 * bytes or under a binary collation, whatever the collation of the column: others take "RS1" for "rs1".
 */
export type ValueForm = 'rs1' | 'ri1'

const CHARS = 13
const BYTES = 7

/**
 * PostgreSQL: an expression for CHECK that is false for a value under the key, and true or NULL for any
 * other. No subquery may stand there: the elements of a list are looked at as JSON.
 */
export function allowedByCheck(form: ValueForm, column: SealedColumn, keyId: number): string {
  const { kind, list, name } = column
  const prefix = prefixOf(form, keyId)
  if (list)
    return `NOT jsonb_path_exists(${elements(column)}, '${elementPath(column, keyId).replaceAll("'", "''")}')`
  switch (kind) {
    case 'bytes':
      return `substr(${name}, 1, ${BYTES}) <> decode('${bytesHex(keyId)}', 'hex')`
    case 'text':
      return `left(${name}::text, ${CHARS}) COLLATE "C" <> '${prefix}'`
    case 'jsonb':
      return `left(${name} #>> '{}', ${CHARS}) COLLATE "C" <> '${prefix}'`
    case 'json':
      // As text: of json, which may hold what text cannot, PostgreSQL reads no string.
      return `${name}::text COLLATE "C" !~ '^[[:space:]]*"${prefix.replaceAll('.', '[.]')}'`
  }
}

function elements({ kind, name }: SealedColumn): string {
  return `to_jsonb(${kind === 'json' ? `${name}::text[]` : name})`
}

function elementPath({ kind }: SealedColumn, keyId: number): string {
  const prefix = prefixOf('rs1', keyId)
  const isUnder = (text: string): string => `@ starts with ${JSON.stringify(text)}`
  switch (kind) {
    case 'json':
      return `strict $[*] ? (@ like_regex ${JSON.stringify(`^\\s*"${prefix.replaceAll('.', '[.]')}`)})`
    case 'bytes':
      // As a session shows bytes: `bytea_output` is hex or escape.
      return `strict $[*] ? (${isUnder(`\\x${bytesHex(keyId)}`)} || ${isUnder(escaped(keyId))})`
    default:
      return `strict $[*] ? (${isUnder(prefix)})`
  }
}

/** @see https://www.postgresql.org/docs/current/datatype-binary.html#DATATYPE-BINARY-BYTEA-ESCAPE-FORMAT */
function escaped(keyId: number): string {
  const shown = (byte: number): string => {
    if (byte === 0x5c) return '\\\\'
    const isPrintable = byte >= 0x20 && byte <= 0x7e
    return isPrintable ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  }
  return [...Buffer.from(bytesHex(keyId), 'hex')].map(shown).join('')
}

/**
 * SQLite and MySQL: a condition that is true for a value under the key.
 *
 * @param sql - the value, such as `NEW."email"`.
 */
export function refusedByTrigger(
  provider: Exclude<Provider, 'postgresql'>,
  form: ValueForm,
  { kind }: SealedColumn,
  sql: string,
  keyId: number,
): string {
  const prefix = prefixOf(form, keyId)
  const isJson = kind === 'json' || kind === 'jsonb'
  if (kind === 'bytes') return `substr(${sql}, 1, ${BYTES}) = x'${bytesHex(keyId)}'`
  if (provider === 'mysql') {
    const text = isJson ? `JSON_UNQUOTE(${sql})` : sql
    return `CONVERT(LEFT(${text}, ${CHARS}) USING utf8mb4) COLLATE utf8mb4_bin = '${prefix}'`
  }
  return isJson
    ? `substr(${sql}, 1, ${CHARS + 1}) = '"${prefix}' COLLATE BINARY`
    : `substr(${sql}, 1, ${CHARS}) = '${prefix}' COLLATE BINARY`
}

function prefixOf(form: ValueForm, keyId: number): string {
  return `${form}.${keyIdHex(keyId)}.`
}

function bytesHex(keyId: number): string {
  return `525301${keyIdHex(keyId)}`
}
