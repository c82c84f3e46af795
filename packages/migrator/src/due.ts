import { MAX_USES, type KeyRow } from '@rowseal/prisma-extension/keys'
import { integer } from './engine/options.ts'

const DAY_MS = 86_400_000
/** Half of what a KEK may wrap at most. */
const DUE_USES = MAX_USES / 2
const DEFAULT_DAYS = 365

export interface DueOptions {
  /**
   * How long a key version may seal: its cryptoperiod (NIST SP 800-57 Part 1, section 5.3). Days, 1 to 3,650.
   * Default: 365.
   */
  readonly cryptoperiodDays?: number
}

/** Why a keyring should be rotated now. */
export interface DueReason {
  /** `waiting`: a rotation was begun and not ended. */
  readonly code: 'age' | 'uses' | 'waiting'
  /** For people. */
  readonly text: string
}

/** @throws {TypeError} naming the option. */
export function cryptoperiodOf({ cryptoperiodDays = DEFAULT_DAYS }: DueOptions): number {
  return integer('cryptoperiodDays', cryptoperiodDays, 3_650)
}

/**
 * Why the key versions of a keyring are due for a rotation; nothing if they are not.
 *
 * @param rows - all versions of a keyring, or of its index keys.
 */
export function dueReasons(rows: readonly KeyRow[], options: DueOptions = {}): DueReason[] {
  const days = cryptoperiodOf(options)
  const active = rows.find(({ state }) => state === 'active')
  if (active === undefined) return []
  const reasons: DueReason[] = []
  const age = ageDaysOf(active) ?? 0
  if (age >= days)
    reasons.push({ code: 'age', text: `active for ${age} days, and ${days} are the limit` })
  if (active.uses >= DUE_USES)
    reasons.push({ code: 'uses', text: `${shareOf(active.uses)} of the wraps a KEK may do` })
  const waiting = rows.find(({ state }) => state === 'pre-activation')
  if (waiting !== undefined)
    reasons.push({ code: 'waiting', text: `key ${waiting.keyId} is stored and not active yet` })
  return reasons
}

/** Whole days since a version first became active; null if it never was. */
export function ageDaysOf({ activatedAt }: KeyRow): number | null {
  return activatedAt === null ? null : Math.floor((Date.now() - activatedAt.getTime()) / DAY_MS)
}

/** Part of the wraps that a KEK may do, for people. */
export function shareOf(uses: number): string {
  const percent = (100 * uses) / MAX_USES
  return percent > 0 && percent < 0.1 ? '<0.1 %' : `${percent.toFixed(1)} %`
}
