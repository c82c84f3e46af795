import type { Provider } from '@rowseal/prisma-extension/plan'

/** Version of the rows and checkpoints this code writes. It touches no later one. */
export const RUN_FORMAT = 2

interface Types {
  readonly name: string
  /** SHA-256 in hex. */
  readonly hash: string
  readonly text: string
  readonly integer: string
  readonly end: string
}

const TYPES: Readonly<Record<Provider, Types>> = {
  postgresql: { name: 'TEXT', hash: 'TEXT', text: 'TEXT', integer: 'BIGINT', end: '' },
  sqlite: { name: 'TEXT', hash: 'TEXT', text: 'TEXT', integer: 'INTEGER', end: '' },
  mysql: {
    name: 'VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    hash: 'CHAR(64) CHARACTER SET ascii COLLATE ascii_bin',
    text: 'LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    integer: 'BIGINT',
    end: ' ENGINE=InnoDB',
  },
}

/**
 * rowseal_runs         the last run over each model, one that writes and one that reads: what it does, its state
 * rowseal_parts        its key ranges: who works on each, and how far they came
 * rowseal_quarantine   values that something is wrong with: where, and the error's code; no content
 * rowseal_fields       every column that holds or held values under a key: where keys are looked for
 *
 * Times are milliseconds since 1970 by the clock of the database, so that hosts need not agree. An index
 * takes no text as long as a record's key may be, so the quarantine goes by its hash.
 */
export function runTables(provider: Provider): readonly string[] {
  const { name, hash, text, integer, end } = TYPES[provider]
  return [
    `CREATE TABLE IF NOT EXISTS rowseal_runs (
  model ${name} NOT NULL,
  kind ${name} NOT NULL,
  format ${integer} NOT NULL,
  run ${integer} NOT NULL,
  direction ${name} NOT NULL,
  layout ${name} NOT NULL,
  plan ${name} NOT NULL,
  state ${name} NOT NULL,
  reason ${text},
  pace ${text},
  began_at_ms ${integer} NOT NULL,
  changed_at_ms ${integer} NOT NULL,
  PRIMARY KEY (model, kind)
)${end}`,
    `CREATE TABLE IF NOT EXISTS rowseal_parts (
  model ${name} NOT NULL,
  kind ${name} NOT NULL,
  part ${integer} NOT NULL,
  run ${integer} NOT NULL,
  epoch ${integer} NOT NULL,
  owner ${name},
  heartbeat_at_ms ${integer} NOT NULL,
  after_key ${text},
  until_key ${text},
  progress ${name} NOT NULL,
  checkpoint ${text},
  PRIMARY KEY (model, kind, part)
)${end}`,
    `CREATE TABLE IF NOT EXISTS rowseal_quarantine (
  model ${name} NOT NULL,
  field ${name} NOT NULL,
  record_hash ${hash} NOT NULL,
  record_key ${text} NOT NULL,
  direction ${name} NOT NULL,
  code ${name} NOT NULL,
  found_at_ms ${integer} NOT NULL,
  PRIMARY KEY (model, field, record_hash)
)${end}`,
    `CREATE TABLE IF NOT EXISTS rowseal_fields (
  schema_name ${name} NOT NULL,
  table_name ${name} NOT NULL,
  column_name ${name} NOT NULL,
  kind ${name} NOT NULL,
  model ${name} NOT NULL,
  field ${name} NOT NULL,
  type ${name} NOT NULL,
  keyring ${name} NOT NULL,
  index_id ${text},
  first_seen_ms ${integer} NOT NULL,
  dropped_at_ms ${integer},
  dropped_by ${text},
  PRIMARY KEY (schema_name, table_name, column_name, kind)
)${end}`,
  ]
}
