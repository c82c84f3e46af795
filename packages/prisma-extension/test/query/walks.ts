import { randomBytes } from 'node:crypto'
import { indexValue, normalize, type Normalizer } from '../../src/envelope/index.ts'
import { initIndexKeys, initKeyring, openKeyring, type Keyring } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { registerIndex } from '../../src/keys/index.ts'
import type { Plan } from '../../src/plan/index.ts'
import {
  collectArguments,
  compile,
  fromPlaintext,
  IndexViews,
  type Collected,
  type CompiledPlan,
  type Current,
} from '../../src/query/index.ts'

/** A reference to a field as Prisma's `fields` gives it. */
export const reference = (modelName: string, name: string): object =>
  Object.create(
    { _toGraphQLInputType: () => '' },
    {
      modelName: { value: modelName, enumerable: true },
      name: { value: name, enumerable: true },
    },
  )

export interface WalkOptions {
  readonly current?: Current
  readonly wantsKeys?: boolean
  readonly globalOmit?: Readonly<Record<string, Readonly<Record<string, boolean>>>>
}

/** A plan with a keyring in memory whose indexes are registered. */
export interface Walks {
  readonly plan: CompiledPlan
  readonly keyring: Keyring
  readonly collect: (
    model: string,
    operation: string,
    args: object,
    options?: WalkOptions,
  ) => Collected
  /** The arguments as they would be sent, with each value to seal as `to(value, slot)`. */
  readonly sent: (model: string, operation: string, args: object, options?: WalkOptions) => any
  /** What a text stands as in an index column. */
  readonly hash: (
    column: string,
    text: string,
    names?: readonly Normalizer[],
    keyId?: number,
  ) => string
}

/** A value where it is sealed under the DEK with this number. */
export const to = (value: unknown, slot = 0): object => ({ sealed: value, slot })

export async function walksOf(
  plan: Plan,
  options: { isStrict?: boolean; complete?: boolean } = {},
): Promise<Walks> {
  const { isStrict = false, complete = true } = options
  const root = localRootKey({ key: randomBytes(32) })
  const keyring = await openKeyring({ root, store: memoryKeyStore(), dekCache: { entries: 1000 } })
  await initKeyring(keyring)
  await initIndexKeys(keyring)
  for (const { indexes } of Object.values(plan.models))
    for (const { id, normalize, slot, unique } of Object.values(indexes))
      if (slot === 1)
        await registerIndex(keyring, { id, normalize, isUnique: unique, complete: complete })
  await keyring.index.view()
  const compiled = compile(plan, [keyring], isStrict)
  const collect: Walks['collect'] = (name, operation, args, walk = {}) => {
    const { current = { state: 'unread' }, wantsKeys = false, globalOmit = {} } = walk
    const views = new IndexViews()
    const read = { plan: compiled, views, wantsKeys, globalOmit, current }
    return collectArguments(read, compiled.get(name)!, operation, args as Record<string, unknown>)
  }
  return {
    plan: compiled,
    keyring,
    collect,
    sent: (...given) => {
      const { args, sites } = collect(...given)
      for (const { target, key, field, plaintext, slot } of sites.sites)
        target[key] = to(fromPlaintext(field, plaintext), slot)
      return args
    },
    hash: (column, text, names = [], keyId) => {
      const view = keyring.index.view()
      if (view instanceof Promise) throw new Error('index keys are not in memory')
      return indexValue(view.key(column, keyId ?? view.active), normalize(names, text))
    },
  }
}
