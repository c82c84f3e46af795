import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rotate } from '../../src/keys/index.ts'
import {
  openPlain,
  openSealed,
  PROVIDERS,
  type PlainDatabase,
  type Provider,
  type SealedDatabase,
  type SealedOptions,
} from './databases.ts'

/**
 * The oracle: the same calls on a sealed database and on a plain one give the same results, and leave the
 * same data. Each scenario runs on rows of its own, with numbers from `n * 100` on.
 */
export type Scenario = (db: any, n: number, Prisma: any) => Promise<unknown>

export interface Twins {
  readonly schema: (provider: Provider) => string
  readonly scenarios: (provider: Provider) => Readonly<Record<string, Scenario>>
  readonly options?: (provider: Provider) => SealedOptions
  /** Further tests on the sealed twin, after the scenarios. */
  readonly then?: (sealed: () => SealedDatabase, provider: Provider) => void
}

/** With a second key version, selections get key fields added, which must not show. */
const MODES = PROVIDERS.flatMap((provider) => [
  { provider, versions: 1 },
  { provider, versions: 2 },
])

export function describeTwins(title: string, twins: Twins): void {
  describe.each(MODES)(`${title} on $provider with $versions key version(s)`, (mode) => {
    const { provider, versions } = mode
    const options = twins.options?.(provider)
    const scenarios = twins.scenarios(provider)
    let sealed: SealedDatabase
    let plain: PlainDatabase
    beforeAll(async () => {
      const schema = twins.schema(provider)
      ;[sealed, plain] = await Promise.all([
        openSealed(provider, schema, options),
        openPlain(provider, schema, options),
      ])
      if (versions === 2) await rotate(sealed.keyring)
    })
    afterAll(() => Promise.all([sealed.close(), plain.close()]))

    it.each(Object.keys(scenarios))('%s', async (name) => {
      const n = Object.keys(scenarios).indexOf(name) + 1
      const scenario = scenarios[name]!
      const expected = stripTimes(await scenario(plain.prisma, n, sealed.Prisma))
      const actual = stripTimes(await scenario(sealed.prisma, n, sealed.Prisma))
      expect(actual).toEqual(expected)
      // What is enumerable, and in which order.
      expect(JSON.stringify(actual, ofBigInt)).toBe(JSON.stringify(expected, ofBigInt))
    })

    twins.then?.(() => sealed, provider)
  })
}

const ofBigInt = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${value}n` : value

/** What is enumerable of a result, without `@updatedAt`, which differs between the twins by nature. */
export function stripTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripTimes)
  if (typeof value !== 'object' || value === null) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const entries = Object.entries(value).filter(([key]) => key !== 'updatedAt')
  return Object.fromEntries(entries.map(([key, inner]) => [key, stripTimes(inner)]))
}
