import type { Violation } from './operation.ts'
import { groupedBy } from './registers.ts'

/** From when on a key version was seen to be active. */
export interface Head {
  readonly keyId: number
  readonly us: number
}

/** A value was seen under a key version. */
export interface Sighting {
  /** A sealed field of a record. */
  readonly cell: string
  /** The write that the value is of: re-encryption keeps it. */
  readonly writer: string
  readonly keyId: number
  readonly us: number
}

/** All key versions that values were under in one look, which began then. */
export interface Present {
  readonly startUs: number
  readonly keyIds: readonly number[]
}

/** A version that the database refuses from then on. */
export interface Fenced {
  readonly keyId: number
  readonly us: number
}

/**
 * No value went back to an older key version, unless that version was made active again: key ids of a keyring
 * go up.
 *
 * @param resumed - when somebody began to make a version active again.
 */
export function checkVersions(
  sightings: readonly Sighting[],
  heads: readonly Head[],
  resumed: readonly Head[],
): Violation[] {
  const violations: Violation[] = []
  for (const seen of groupedBy(sightings, ({ cell, writer }) => `${cell} ${writer}`).values())
    for (const [i, { cell, writer, keyId: to, us }] of seen.entries()) {
      const from = seen[i - 1]?.keyId
      if (from === undefined || from <= to) continue
      const isResumed = resumed.some((one) => one.keyId === to && one.us < us)
      const isRolledBack = isResumed || cameAfter(heads, from, to)
      if (isRolledBack) continue
      const what = `${cell}, written by ${writer}, went from key ${from} back to key ${to}`
      violations.push({ check: 'key versions', what, shown: [seen[i - 1], seen[i]] })
    }
  return violations
}

function cameAfter(heads: readonly Head[], from: number, to: number): boolean {
  const first = heads.findIndex(({ keyId }) => keyId === from)
  return first !== -1 && heads.slice(first).some(({ keyId }) => keyId === to)
}

/** Once a version is fenced, no value is under it. */
export function checkFences(present: readonly Present[], fenced: readonly Fenced[]): Violation[] {
  return fenced.flatMap(({ keyId, us }) => {
    const shown = present.filter(({ startUs, keyIds }) => startUs > us && keyIds.includes(keyId))
    if (shown.length === 0) return []
    const what = `a value was under key ${keyId} after it was drained and fenced`
    return [{ check: 'fences', what, shown: shown.slice(0, 3) }]
  })
}
