import type { FenceStatements } from '../fence/statements.ts'

/** How long a statement of a person waits for its table. */
const LOCK_SECONDS = 2

/** SQL with comments, for the database's own command line. Pure. */
export function renderFence(statements: FenceStatements): string {
  const { keyring, keyId, change, validate, count } = statements
  const head = `-- Key ${keyId} of keyring "${keyring}": the database refuses every value under it.`
  if (change.length === 0 && validate.length === 0)
    return `${head}\n-- It does so already. Values under the key, each must be 0:\n${ended(count)}`
  return [
    head,
    '-- Each statement waits for the transactions that write to its table, and holds it for a moment.',
    changeOf(statements),
    ...(validate.length === 0
      ? []
      : ['\n-- Reads the tables, beside other writers. Fails if a value is under the key.']),
    ...(validate.length === 0 ? [] : [ended(validate)]),
    '\n-- Values under the key. If one is not 0, take the fences down, drain, and begin anew.',
    ended(count),
  ].join('\n')
}

export function renderUnfence(statements: FenceStatements): string {
  const { keyring, keyId, change } = statements
  const head = `-- Key ${keyId} of keyring "${keyring}"`
  if (change.length === 0) return `${head}: the database has no fences against it.`
  return `${head}: the database takes values under it again.\n${changeOf(statements)}`
}

function changeOf({ provider, change }: FenceStatements): string {
  switch (provider) {
    case 'postgresql':
      return `SET lock_timeout = '${LOCK_SECONDS}s';\n${ended(change)}`
    case 'mysql':
      return [
        `SET SESSION lock_wait_timeout = ${LOCK_SECONDS};`,
        'DELIMITER //',
        ...change.map((sql) => `${sql} //`),
        'DELIMITER ;',
      ].join('\n')
    case 'sqlite':
      return `BEGIN IMMEDIATE;\n${ended(change)}\nCOMMIT;`
  }
}

function ended(statements: readonly string[]): string {
  return statements.map((sql) => `${sql};`).join('\n')
}
