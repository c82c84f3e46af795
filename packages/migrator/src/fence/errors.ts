import type { Provider } from '@rowseal/prisma-extension/plan'
import { asMigrationError, isDenied, isUnpreparable } from '../database-error.ts'
import { MigrationError } from '../errors.ts'

/** The error for what a statement of a fence threw. Never quotes a message of the database. */
export function asFenceError(error: unknown, provider: Provider, keyId: number): Error {
  const byHand = `run what \`npx rowseal ddl fence ${keyId}\` prints`
  if (isDenied(error))
    return new MigrationError(
      'ERR_DATABASE_FAILED',
      'The database does not let this user change or see the constraints and triggers of a table.',
      { fix: `Have the owner of the tables ${byHand}, then run the command again.` },
    )
  if (isUnpreparable(error))
    return new MigrationError(
      'ERR_DATABASE_FAILED',
      'MySQL makes no triggers by prepared statements, which the adapter uses.',
      {
        fix: `Pass { useTextProtocol: true } to the adapter of the configuration, or ${byHand}, then run the command again.`,
      },
    )
  const goOn = 'run the command again: it goes on where it ended'
  return asMigrationError(error, provider === 'sqlite', goOn)
}
