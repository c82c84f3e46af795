import { keyChangedAt } from '../reindex/follow.ts'
import type { Target } from '../targets.ts'
import type { Waits } from '../waits.ts'

/**
 * Milliseconds until no instance seals under a former key of these fields any more: each goes by the key
 * store as it was `maxAgeMs` ago at most, and commits within its longest transaction.
 */
export function fenceOf({ fields }: Target, waits: Waits, maxTransactionMs: number): number {
  let left = 0
  for (const values of new Set(fields.map((field) => field.values)))
    for (const keyring of values.open()) {
      if (keyring.staleKeyIds().length === 0) continue
      const change = `${keyring.name} ${String(keyring.activeKeyId)}`
      const waitMs = keyring.index.maxAgeMs + maxTransactionMs
      left = Math.max(left, waits.left(change, waitMs, keyChangedAt(keyring.keys())))
    }
  return left
}
