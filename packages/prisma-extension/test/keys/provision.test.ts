import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openKeyrings, type KeyringsOptions } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { indexesUnder, plannedName } from '../../src/keys/tenants/provision.ts'
import type { KeyStore } from '../../src/keys/types.ts'
import type { Plan } from '../../src/plan/index.ts'

const root = localRootKey({ key: randomBytes(32) })
const MAIL = { id: 'User.mail', slot: 1, field: 'email', normalize: ['trim'], unique: true }
const MAIL_2 = { ...MAIL, id: 'User.mail2', slot: 2 }
/** Of a field that may hold plaintext, so that nobody knows what was written without it. */
const NICK = { id: 'User.nick', slot: 1, field: 'nick', normalize: [], unique: false }
/** Of a field under a keyring of its own. */
const CARD = { id: 'User.card', slot: 1, field: 'card', normalize: [], unique: false }

/** What is looked at of a plan. */
function planWith(...indexes: readonly { id: string }[]): Plan {
  const sealed = {
    email: { keyring: 'default', plaintext: 'refuse' },
    nick: { keyring: 'default', plaintext: 'allow' },
    card: { keyring: 'cards', plaintext: 'refuse' },
  }
  const named = Object.fromEntries(indexes.map((index) => [index.id, index]))
  return { models: { User: { sealed, indexes: named } } } as unknown as Plan
}

/** A store that somebody else writes to just before each of our first `conflicts` writes. */
function contended(conflicts: number): KeyStore & { writes: number } {
  const store = memoryKeyStore()
  const contended = Object.assign(Object.create(store) as KeyStore, { name: store.name, writes: 0 })
  for (const name of ['init', 'read', 'reserve', 'keyringOf', 'keyrings', 'nextKeyId'] as const)
    Object.assign(contended, { [name]: store[name].bind(store) })
  contended.write = (write) => {
    if (write.head.indexes.length === 0 || ++contended.writes > conflicts) return store.write(write)
    return Promise.resolve(false)
  }
  return contended
}

const create = (store: KeyStore, plan?: Plan, more: Partial<KeyringsOptions> = {}) =>
  openKeyrings({ root, store, ...more }).create('tenant/a', plan)

describe('a keyring that is made', () => {
  test('has the indexes of the fields under it, complete where nobody can have written without', async () => {
    const plan = planWith(MAIL, MAIL_2, NICK, CARD)
    const { keyring, created } = await create(memoryKeyStore(), plan)
    expect(created).toBe(true)
    expect(keyring.index.records()).toMatchObject([
      { id: 'User.mail', complete: true, isUnique: true, normalize: ['trim'] },
      { id: 'User.nick', complete: false, isUnique: false, normalize: [] },
    ])
    expect((await keyring.index.view()).record('User.mail')).toMatchObject({ complete: true })
  })

  test('has no index keys where it has no indexes', async () => {
    const { keyring } = await create(memoryKeyStore(), planWith(CARD))
    expect([keyring.index.exists, keyring.activeKeyId]).toEqual([false, 1])
    expect((await create(memoryKeyStore())).keyring.index.exists).toBe(false)
  })

  test('and is made again gets an index that came since, complete while nothing was sealed', async () => {
    const store = memoryKeyStore()
    await create(store, planWith(MAIL))
    const again = await create(store, planWith(MAIL, { ...MAIL, id: 'User.other' }))
    expect(again.created).toBe(false)
    expect(again.keyring.index.records().map(({ id, complete }) => [id, complete])).toEqual([
      ['User.mail', true],
      ['User.other', true],
    ])
  })

  test('of which any version was used gets no complete index', async () => {
    const store = memoryKeyStore()
    const { keyring } = await create(store)
    await keyring.forProtect(1)
    const again = await create(store, planWith(MAIL))
    expect(again.keyring.index.records()).toMatchObject([{ complete: false }])
  })

  test('whose root key wraps DEKs gets none later, since nobody counts these', async () => {
    const store = memoryKeyStore()
    const kms = { wrapping: 'kms' } as const
    const first = await create(store, planWith(MAIL), kms)
    expect(first.keyring.index.records()).toMatchObject([{ complete: true }])
    const again = await create(store, planWith(MAIL, { ...MAIL, id: 'User.other' }), kms)
    expect(again.keyring.index.records().map(({ complete }) => complete)).toEqual([true, false])
  })

  test('is tried again when somebody else writes at the same time, a few times', async () => {
    const twice = contended(2)
    expect((await create(twice, planWith(MAIL))).keyring.index.records()).toHaveLength(1)
    const always = contended(Infinity)
    await expect(create(always, planWith(MAIL))).rejects.toMatchObject({
      code: 'ERR_KEYRING_CONFLICT',
      retryable: true,
    })
    expect(always.writes).toBe(5)
  })

  test('is not tried again for another reason', async () => {
    const store = contended(0)
    await create(store, planWith(MAIL))
    const { writes } = store
    const changed = planWith({ ...MAIL, normalize: ['digits'] } as never)
    await expect(create(store, changed)).rejects.toMatchObject({ code: 'ERR_INDEX_STATE' })
    expect(store.writes).toBe(writes)
  })
})

test('fields whose annotation names no keyring are each tenant’s', () => {
  const ids = (keyring: string): string[] =>
    indexesUnder(planWith(MAIL, MAIL_2, NICK, CARD), keyring).map(({ id }) => id)
  expect(ids(plannedName('tenant/a'))).toEqual(['User.mail', 'User.nick'])
  expect(ids(plannedName('cards'))).toEqual(['User.card'])
  expect(ids(plannedName('other'))).toEqual([])
})
