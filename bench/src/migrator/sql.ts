import type { Provider } from './world.ts'

/** Rows that one statement inserts. */
const MAX_ROWS = 1_000_000

export const ANALYZE: Readonly<Record<Provider, string>> = {
  postgresql: 'VACUUM ANALYZE',
  sqlite: 'ANALYZE',
  mysql: 'ANALYZE TABLE',
}

export function quoted(provider: Provider, name: string): string {
  return provider === 'mysql' ? `\`${name}\`` : `"${name}"`
}

/** Add rows by the database alone, with the values of the first `from`. */
export function fillStatements(provider: Provider, from: number, rows: number): string[] {
  const note = quoted(provider, 'Note')
  const statements: string[] = []
  for (let first = from; first < rows; first += MAX_ROWS) {
    const last = Math.min(rows, first + MAX_ROWS) - 1
    const numbers = {
      postgresql: `generate_series(${first}, ${last}) AS s(n)`,
      mysql: `(SELECT seq AS n FROM seq_${first}_to_${last}) AS s`,
      sqlite: `(WITH RECURSIVE c(n) AS (SELECT ${first} UNION ALL SELECT n + 1 FROM c WHERE n < ${last}) SELECT n FROM c) AS s`,
    }[provider]
    statements.push(
      `INSERT INTO ${note} (id, title, text) SELECT s.n, p.title, p.text FROM ${numbers} JOIN ${note} p ON p.id = s.n % ${from}`,
    )
  }
  return statements
}

/** Count the values of `Note` that are not under a key. Gives `{ n }`. */
export function notUnder(provider: Provider, keyId: number): string {
  const prefix = `'rs1.${keyId.toString(16).padStart(8, '0')}.%'`
  const where = `title NOT LIKE ${prefix} OR text NOT LIKE ${prefix}`
  return `SELECT count(*) AS n FROM ${quoted(provider, 'Note')} WHERE ${where}`
}
