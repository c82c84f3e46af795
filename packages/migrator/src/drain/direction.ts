import type { Direction } from '../engine/direction.ts'
import type { Leaves } from '../proof/after.ts'
import { lookupsOf } from '../staleness/lookups.ts'
import { loadTargets } from '../targets.ts'
import { isDestroyed, withDestroyed } from './destroyed.ts'
import { fenceOf } from './fence.ts'
import { staleKeysOf } from './stale-keys.ts'
import { drainStrategy } from './strategy.ts'

/** No value is under a former key in the end. */
export const LEAVES_NOTHING_STALE: Leaves = {
  isLeft: ({ values }, keyId) => values.isStale(keyId) || isDestroyed(values, keyId),
  isPlaintextLeft: false,
}

/** Re-encrypts what is stale. */
export const DRAIN: Direction = {
  name: 'drain',
  targets: (context, models) => loadTargets(context, models),
  next: async (context, target) => {
    const stale = withDestroyed(await staleKeysOf(target))
    return drainStrategy(target, stale, await lookupsOf(context, target, stale), context.threads)
  },
  leaves: LEAVES_NOTHING_STALE,
  fence: fenceOf,
}
