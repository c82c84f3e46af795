import { DECRYPT } from './decrypt/decrypt.ts'
import { DRAIN } from './drain/direction.ts'
import { ENCRYPT } from './encrypt/encrypt.ts'
import type { Direction } from './engine/direction.ts'
import { REWRAP } from './rewrap/rewrap.ts'

/** A direction that the one engine runs by a `Direction`: `reindex` and `verify` have runs of their own. */
export type SweepName = 'encrypt' | 'drain' | 'rewrap' | 'decrypt'

export const SWEEPS: Readonly<Record<SweepName, Direction>> = {
  encrypt: ENCRYPT,
  drain: DRAIN,
  rewrap: REWRAP,
  decrypt: DECRYPT,
}

/** The one of a name, as `rowseal_runs` has it; null if there is none. */
export function sweepOf(name: string): Direction | null {
  return Object.hasOwn(SWEEPS, name) ? SWEEPS[name as SweepName] : null
}
