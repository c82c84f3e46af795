import type { SqlProvider } from '../../../src/keys/stores/sql-client.ts'
import {
  headStatement,
  rowStatement,
  type Statement,
} from '../../../src/keys/stores/sql-statements.ts'
import type { KeyringSnapshot } from '../../../src/keys/types.ts'

/** Put a keyring in place of what the tables hold, past the key store. */
export async function overwriteSql(
  client: any,
  provider: SqlProvider,
  { head, keys }: KeyringSnapshot,
): Promise<void> {
  const statements: Statement[] = [
    ['DELETE FROM rowseal_keys WHERE keyring = ?', [head.keyring]],
    ['DELETE FROM rowseal_keyrings WHERE name = ?', [head.keyring]],
    headStatement(head, 0, null),
    ...keys.flatMap((row): Statement[] => {
      const [sql, values] = rowStatement({ from: null, row })
      const times = values.map((value) => (Number.isNaN(value) ? 9_000_000_000_000_000 : value))
      const uses: Statement = [
        'UPDATE rowseal_keys SET uses = ? WHERE key_id = ?',
        [row.uses, row.keyId],
      ]
      return [[sql, times], uses]
    }),
  ]
  await client.$transaction(async (tx: any) => {
    for (const [sql, values] of statements) {
      let count = 0
      const placed = provider === 'postgresql' ? sql.replaceAll('?', () => `$${++count}`) : sql
      await tx.$executeRawUnsafe(placed, ...values)
    }
  })
}
