import { expectTypeOf, it } from 'vitest'
import { rowseal, type Keyring, type Keyrings } from '../../src/index.ts'
import type { Plan } from '../../src/plan/index.ts'

it('takes `tenant` with all keyrings, and with nothing less', () => {
  type Options = Parameters<typeof rowseal>[0]
  const plan = {} as Plan
  const keyring = null as unknown as Keyring
  const keyrings = null as unknown as Keyrings
  expectTypeOf({ plan, keyring }).toExtend<Options>()
  expectTypeOf({ plan, keyring: [keyring] }).toExtend<Options>()
  expectTypeOf({ plan, keyring: keyrings }).toExtend<Options>()
  const tenant = (): string | undefined => undefined
  expectTypeOf({ plan, keyring: keyrings, tenant }).toExtend<Options>()
  expectTypeOf({ plan, keyring, tenant }).not.toExtend<Options>()
  expectTypeOf({ plan, keyring: [keyring], tenant }).not.toExtend<Options>()
  const late = (): Promise<string> => Promise.resolve('acme')
  expectTypeOf({ plan, keyring: keyrings, tenant: late }).not.toExtend<Options>()
})
