import type { IndexRecord, KeyTransition } from '../types.ts'

/** Version of the rows this code writes. It reads no later one. */
export const FORMAT = 1

/** Every statement of the SQL key store, with `?` for values. */
export const SQL = {
  // One statement, so that head and rows are of one moment in every isolation level.
  read: `SELECT h.active_key_id, h.revision, h.format, h.index_records, k.key_id, k.version, k.state, k.suite,
    k.root_key_id, k.wrapped_kek, k.check_value, k.created_at_ms, k.activated_at_ms, k.suspended_at_ms
    FROM rowseal_keyrings h LEFT JOIN rowseal_keys k ON k.keyring = h.name
    WHERE h.name = ? ORDER BY k.version`,
  keyringOf: 'SELECT keyring FROM rowseal_keys WHERE key_id = ?',
  maxKeyId: 'SELECT MAX(key_id) AS key_id FROM rowseal_keys',
  exists: 'SELECT h.index_records, k.version FROM rowseal_keyrings h, rowseal_keys k WHERE 1 = 0',
  createHead: `INSERT INTO rowseal_keyrings (name, active_key_id, revision, format, index_records)
    VALUES (?, ?, 1, ${FORMAT}, '[]')`,
  createKey: `INSERT INTO rowseal_keys (key_id, keyring, version, state, suite, root_key_id,
    wrapped_kek, check_value, created_at_ms, activated_at_ms, suspended_at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  countChange: `UPDATE rowseal_keyrings SET revision = revision + 1 WHERE name = ? AND format = ${FORMAT}`,
  changeHead: `UPDATE rowseal_keyrings SET active_key_id = ?, revision = revision + 1
    WHERE name = ? AND revision = ? AND active_key_id = ? AND format = ${FORMAT}`,
  changeIndexes: 'UPDATE rowseal_keyrings SET index_records = ? WHERE name = ? AND revision = ?',
  activate: `UPDATE rowseal_keys SET state = ?, activated_at_ms = COALESCE(activated_at_ms, ?),
    suspended_at_ms = NULL WHERE keyring = ? AND key_id = ? AND state = ?`,
  supersede: `UPDATE rowseal_keys SET state = ?, suspended_at_ms = ?
    WHERE keyring = ? AND key_id = ? AND state = ?`,
  move: 'UPDATE rowseal_keys SET state = ? WHERE keyring = ? AND key_id = ? AND state = ?',
}

export type Statement = readonly [sql: string, values: readonly unknown[]]

/** Write the indexes. A statement of its own after the head's, so that a change of nothing else has two. */
export function listing(
  keyring: string,
  revision: number,
  indexes: readonly IndexRecord[],
): Statement {
  return [SQL.changeIndexes, [JSON.stringify(indexes), keyring, revision]]
}

/** Move a key version to another state, noting when it became active or ceased to be. */
export function moving(keyring: string, { keyId, from, to }: KeyTransition, at: number): Statement {
  if (to === 'active') return [SQL.activate, [to, at, keyring, keyId, from]]
  if (from === 'active') return [SQL.supersede, [to, at, keyring, keyId, from]]
  return [SQL.move, [to, keyring, keyId, from]]
}
