import type { Outcome } from './checker/operation.ts'

/**
 * What an error says of the write that met it. Refused by a constraint, rolled back for another transaction, or a row
 * that is not there: nothing was written. After any other, nobody knows.
 */
const REFUSED: ReadonlySet<string> = new Set(['P2002', 'P2025', 'P2034', 'ERR_KEY_STATE'])

export interface Said {
  readonly outcome: Exclude<Outcome, 'ok'>
  readonly code: string
  readonly isRetryable: boolean
}

export function saidOf(error: unknown): Said {
  const { code, name, retryable } = Object(error) as {
    code?: unknown
    name?: unknown
    retryable?: unknown
  }
  const said = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown'
  return {
    outcome: REFUSED.has(said) ? 'failed' : 'indeterminate',
    code: said,
    isRetryable: retryable === true,
  }
}
