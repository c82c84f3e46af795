import type { SqlProvider } from './sql-client.ts'

// rowseal_keyrings   one head row for each keyring; `format` is the version of both tables' rows,
//                    `index_records` a JSON list of its blind indexes, `digests` one of its key versions
// rowseal_keys       one row for each key version; rows are never deleted
//
// Times are milliseconds since 1970, the same in every database and time zone. Text compares byte by
// byte: collations that take "a" for "A" would take one keyring for another.

interface Types {
  readonly integer: string
  readonly bytes: string
  readonly name: string
  readonly text: string
  readonly json: string
  readonly end: string
}

const TYPES: Readonly<Record<SqlProvider, Types>> = {
  postgresql: {
    integer: 'BIGINT',
    bytes: 'BYTEA',
    name: 'TEXT COLLATE "C"',
    text: 'TEXT COLLATE "C"',
    json: 'TEXT COLLATE "C"',
    end: '',
  },
  mysql: {
    integer: 'BIGINT',
    bytes: 'BLOB',
    name: 'VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin', // an index key must be bounded
    text: 'TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    json: 'LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    end: ' ENGINE=InnoDB',
  },
  sqlite: {
    integer: 'INTEGER',
    bytes: 'BLOB',
    name: 'TEXT',
    text: 'TEXT',
    json: 'TEXT',
    end: ' STRICT',
  },
}

/** The statements that make the key store's tables, unless they are there. */
export function ddlOf(provider: SqlProvider): readonly string[] {
  const { integer, bytes, name, text, json, end } = TYPES[provider]
  return [
    `CREATE TABLE IF NOT EXISTS rowseal_keyrings (
  name ${name} NOT NULL PRIMARY KEY,
  active_key_id ${integer} NOT NULL,
  revision ${integer} NOT NULL,
  format ${integer} NOT NULL,
  index_records ${json} NOT NULL,
  digests ${json} NOT NULL,
  mac_root_key_id ${text} NOT NULL,
  mac_key ${bytes} NOT NULL,
  mac ${bytes} NOT NULL
)${end}`,
    `CREATE TABLE IF NOT EXISTS rowseal_keys (
  key_id ${integer} NOT NULL PRIMARY KEY,
  keyring ${name} NOT NULL,
  version ${integer} NOT NULL,
  state ${name} NOT NULL,
  suite ${integer} NOT NULL,
  root_key_id ${text} NOT NULL,
  wrapped_kek ${bytes} NOT NULL,
  check_value ${bytes} NOT NULL,
  created_at_ms ${integer} NOT NULL,
  activated_at_ms ${integer},
  suspended_at_ms ${integer},
  compromised_at_ms ${integer},
  destroy_at_ms ${integer},
  state_at_ms ${integer} NOT NULL,
  rewrapped_from ${json} NOT NULL,
  uses ${integer} NOT NULL,
  UNIQUE (keyring, version)
)${end}`,
  ]
}
