import { setImmediate as turn } from 'node:timers/promises'
import { KeyError } from '../../src/errors.ts'
import type { RootKey, WrapContext } from '../../src/keys/types.ts'
import { delegating, newRoot } from './support.ts'

/** A root key that counts what is asked of it, and fails as a test says. */
export interface TroubledRoot extends RootKey {
  /** Calls of `create` and `unwrap` by what the key is for, since `reset`. */
  readonly calls: Record<WrapContext['use'], number>
  /** Thrown by each call. What is no `KeyError` is an outage. */
  trouble: Error | null
  /** Awaited by each call. */
  hold: Promise<unknown> | null
  /** The most calls that were under way at once, since `reset`. */
  most: number
  /** The id that `create` says, if it is to be another one. */
  rootKeyId: string | null
  reset(): void
}

export function troubledRoot(inner = newRoot()): TroubledRoot {
  let underWay = 0
  const counted = async <T>({ use }: WrapContext, call: () => Promise<T>): Promise<T> => {
    root.calls[use]++
    root.most = Math.max(root.most, ++underWay)
    try {
      await turn()
      if (root.hold !== null) await root.hold
      if (root.trouble !== null) throw root.trouble
      return await call()
    } finally {
      underWay--
    }
  }
  const root: TroubledRoot = {
    ...delegating(inner),
    calls: { kek: 0, dek: 0, mac: 0 },
    trouble: null,
    hold: null,
    most: 0,
    rootKeyId: null,
    create: (context) =>
      counted(context, async () => {
        const made = await inner.create(context)
        return { ...made, rootKeyId: root.rootKeyId ?? made.rootKeyId }
      }),
    unwrap: (wrapped, rootKeyId, context) =>
      counted(context, () => inner.unwrap(wrapped, rootKeyId, context)),
    reset: () => {
      Object.assign(root.calls, { kek: 0, dek: 0, mac: 0 })
      root.most = 0
    },
  }
  return root
}

export const OUTAGE = new Error('connection refused')
export const DENIAL = new KeyError('ERR_ROOT_KEY_DISABLED', 'The root key is disabled.', {
  fix: 'Enable it.',
})
