import type { Provider } from '@rowseal/prisma-extension/plan'

/** Version of the rows and checkpoints this code writes. It touches no later one. */
export const RUN_FORMAT = 1

/**
 * rowseal_runs         one row per model: who writes to its sealed fields now, and how far they came
 * rowseal_quarantine   values that could not be opened: where, and the error's code; no content
 *
 * Times are milliseconds since 1970 by the clock of the database, so that hosts need not agree.
 */
export function runTables(provider: Provider): readonly string[] {
  const name =
    provider === 'mysql' ? 'VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : 'TEXT'
  const text = provider === 'mysql' ? 'LONGTEXT' : 'TEXT'
  const integer = provider === 'sqlite' ? 'INTEGER' : 'BIGINT'
  return [
    `CREATE TABLE IF NOT EXISTS rowseal_runs (
  model ${name} NOT NULL PRIMARY KEY,
  format ${integer} NOT NULL,
  direction ${name} NOT NULL,
  epoch ${integer} NOT NULL,
  owner ${name},
  claimed_at_ms ${integer} NOT NULL,
  heartbeat_at_ms ${integer} NOT NULL,
  outcome ${name} NOT NULL,
  checkpoint ${text}
)`,
    `CREATE TABLE IF NOT EXISTS rowseal_quarantine (
  model ${name} NOT NULL,
  field ${name} NOT NULL,
  record_key ${provider === 'mysql' ? 'VARCHAR(384) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : 'TEXT'} NOT NULL,
  code ${name} NOT NULL,
  found_at_ms ${integer} NOT NULL,
  PRIMARY KEY (model, field, record_key)
)`,
  ]
}
