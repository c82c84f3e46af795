import { describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { definePlan, PLAN_FORMAT } from '../../src/plan/index.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'

const plan = definePlan({
  format: PLAN_FORMAT,
  digest: '0'.repeat(64),
  provider: 'sqlite',
  models: {},
})
const TAKES: unknown = expect.stringMatching(/^keyring must be what `await openKeyring\(…\)`/)

describe('rowseal, given what it does not take,', () => {
  it.each([
    ['a keyring that was not awaited', Promise.resolve({ name: 'default' })],
    ['one of them in a list', [Promise.resolve({ name: 'default' })]],
    ['no keyring', undefined],
    ['null', null],
    ['the name of one', 'default'],
  ])('says so at once: %s', (_, keyring) => {
    const wrong = { plan, keyring } as unknown as Parameters<typeof rowseal>[0]
    expect(() => rowseal(wrong)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: TAKES }),
    )
  })

  it.each([
    ['no plan', { keyring: [] }],
    ['the module of one', { plan: { plan }, keyring: [] }],
    ['the client, as in $extends(rowseal)', { $extends: () => null }],
    ['nothing', undefined],
  ])('says so at once: %s', (_, wrong) => {
    const given = wrong as unknown as Parameters<typeof rowseal>[0]
    expect(() => rowseal(given)).toThrow(
      new TypeError('plan must be what `npx prisma generate` wrote: rowseal({ plan, keyring })'),
    )
  })
})

it.each([undefined, null, {}])('sqlKeyStore says that %s is no client', (client) => {
  expect(() => sqlKeyStore(client as never)).toThrow(
    new TypeError('sqlKeyStore takes a PrismaClient of a SQL database'),
  )
})
