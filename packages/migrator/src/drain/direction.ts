import type { Context } from '../config.ts'
import type { Direction } from '../engine/direction.ts'
import type { Strategy } from '../engine/strategy.ts'
import type { Leaves } from '../proof/after.ts'
import { lookupsOf } from '../staleness/lookups.ts'
import { loadTargets, type Target } from '../targets.ts'
import { isDestroyed, withDestroyed } from './destroyed.ts'
import { fenceOf } from './fence.ts'
import type { SealedChange, StaleKeys } from './reencrypt.ts'
import { staleKeysOf } from './stale-keys.ts'
import { drainStrategy } from './strategy.ts'

/** No value is under a former key in the end, or under one that nobody has. */
export const LEAVES_NOTHING_STALE: Leaves = {
  isLeft: ({ values }, keyId) => values.isStale(keyId) || isDestroyed(values, keyId),
  isPlaintextLeft: false,
  isUnknownLeft: true,
}

const targets: Direction['targets'] = (context, models) => loadTargets(context, models)

async function passOver(
  context: Context,
  target: Target,
  stale: StaleKeys,
): Promise<Strategy<SealedChange>> {
  return drainStrategy(target, stale, await lookupsOf(context, target, stale), context.threads)
}

/** Re-encrypts what is stale. */
export const DRAIN: Direction = {
  name: 'drain',
  targets,
  next: async (context, target) => {
    return passOver(context, target, withDestroyed(await staleKeysOf(target)))
  },
  // A plan counts what would be rewritten; what is under a destroyed key is counted by itself.
  dry: {
    targets,
    next: async (context, target) => passOver(context, target, await staleKeysOf(target)),
  },
  leaves: LEAVES_NOTHING_STALE,
  fence: fenceOf,
}
