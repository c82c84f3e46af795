import type { KeyringHead, RowWrite } from '../types.ts'
import { headValuesOf, valuesOf } from './sql-rows.ts'

/** Version of the rows this code writes. It reads no other one. */
export const FORMAT = 2

const HEAD = `active_key_id, revision, format, index_records, digests, mac_root_key_id, mac_key, mac`
const KEY = `version, state, suite, root_key_id, wrapped_kek, check_value, created_at_ms,
    activated_at_ms, suspended_at_ms, compromised_at_ms, destroy_at_ms, state_at_ms, rewrapped_from`

/** Every statement of the SQL key store, with `?` for values. */
export const SQL = {
  // One statement, so that head and rows are of one moment in every isolation level.
  read: `SELECT ${HEAD}, k.key_id, ${KEY}, k.uses
    FROM rowseal_keyrings h LEFT JOIN rowseal_keys k ON k.keyring = h.name
    WHERE h.name = ? ORDER BY k.version`,
  keyringOf: 'SELECT keyring FROM rowseal_keys WHERE key_id = ?',
  maxKeyId: 'SELECT MAX(key_id) AS key_id FROM rowseal_keys',
  keyrings: 'SELECT name FROM rowseal_keyrings ORDER BY name',
  exists: 'SELECT h.mac, k.uses FROM rowseal_keyrings h, rowseal_keys k WHERE 1 = 0',
  createHead: `INSERT INTO rowseal_keyrings (name, ${HEAD}) VALUES (?, ${places(HEAD)})`,
  changeHead: `UPDATE rowseal_keyrings SET ${settings(HEAD)}
    WHERE name = ? AND revision = ? AND active_key_id = ? AND format = ${FORMAT}`,
  createKey: `INSERT INTO rowseal_keys (key_id, keyring, ${KEY}, uses) VALUES (?, ?, ${places(KEY)}, 0)`,
  changeKey: `UPDATE rowseal_keys SET ${settings(KEY)} WHERE keyring = ? AND key_id = ? AND state = ?`,
  reserve: 'UPDATE rowseal_keys SET uses = uses + ? WHERE key_id = ? AND uses <= ?',
} as const

export type Statement = readonly [sql: string, values: readonly unknown[]]

/** Write a head that is new, or was as expected. */
export function headStatement(
  head: KeyringHead,
  expectedRevision: number,
  formerKeyId: number | null,
): Statement {
  const values = headValuesOf(head, FORMAT)
  return formerKeyId === null
    ? [SQL.createHead, [head.keyring, ...values]]
    : [SQL.changeHead, [...values, head.keyring, expectedRevision, formerKeyId]]
}

/** Write a key version that is new, or was in the expected state. */
export function rowStatement({ from, row }: RowWrite): Statement {
  return from === null
    ? [SQL.createKey, [row.keyId, row.keyring, ...valuesOf(row)]]
    : [SQL.changeKey, [...valuesOf(row), row.keyring, row.keyId, from]]
}

function places(columns: string): string {
  return columns.replaceAll(/\w+/g, '?')
}

function settings(columns: string): string {
  return columns.replaceAll(/\w+/g, '$& = ?')
}
