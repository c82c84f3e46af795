import type { Provider } from '@rowseal/prisma-extension/plan'
import type { SqlClient } from '@rowseal/prisma-extension/sql'
import { MigrationError } from '../../errors.ts'

/** A health check. */
export interface Check {
  /** The option it comes from, and its flag. */
  readonly name: string
  /** An answer that takes longer is none. */
  readonly timeoutMs: number
  /**
   * @param signal - aborted when nobody waits for the answer any more.
   * @returns why the run should pause; null if it need not.
   * @throws what keeps it from telling.
   */
  run(signal: AbortSignal): Promise<string | null>
}

/** What checks look at. */
export interface CheckContext {
  /** Looked at outside every transaction of the run. */
  readonly client: SqlClient
  readonly provider: Provider
  /** The table in hand, as statements name it; null if there is none yet. */
  readonly table: () => string | null
  /** Milliseconds since any fixed moment. */
  readonly now: () => number
}

/** The check is asked of something that cannot answer it, until somebody acts. */
export function cannot(problem: string, fix: string): MigrationError {
  return new MigrationError('ERR_CONFIG_INVALID', problem, { fix })
}

/** Text from elsewhere, in one line of 80 characters at most, without what a terminal would obey. */
export function shown(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  const characters = Array.from(plain)
  return characters.length <= 80 ? plain : `${characters.slice(0, 79).join('')}…`
}

/** Milliseconds for people. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 100_000) return `${(ms / 1_000).toFixed(1)} s`
  return ms < 600_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`
}
