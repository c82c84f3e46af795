import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { initKeyring, openKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { checkSnapshot } from '../../src/keys/reading/snapshot.ts'
import type { KeyringSnapshot } from '../../src/keys/types.ts'

// What a store gives is checked for its form before the MAC is: each column by itself.

let good: KeyringSnapshot

beforeAll(async () => {
  const store = memoryKeyStore()
  const keyring = await openKeyring({ root: localRootKey({ key: randomBytes(32) }), store })
  await initKeyring(keyring)
  await rotate(keyring)
  good = (await store.read('default'))!
})

const tampered = (what: string): unknown =>
  expect.objectContaining({ code: 'ERR_STORE_TAMPERED', message: expect.stringContaining(what) })

const withHead = (head: object): KeyringSnapshot => ({
  ...good,
  head: { ...good.head, ...head },
})
/** With another first key, which is suspended. */
const withKey = (key: object): KeyringSnapshot => ({
  ...good,
  keys: good.keys.map((row) => (row.keyId === 1 ? { ...row, ...key } : row)),
})

describe('a snapshot', () => {
  test('that is sound is taken, with its keys frozen', () => {
    const { active, rows, stale, revision } = checkSnapshot('default', good)
    expect([active.keyId, [...rows.keys()], stale, revision]).toEqual([2, [1, 2], [1], 3])
    expect([...rows.values()].every((row) => Object.isFrozen(row))).toBe(true)
  })

  test.each<[string, object]>([
    ['names another keyring', { keyring: 'other' }],
    ['revision of its head is not a number', { revision: 0 }],
    ['revision of its head is not a number', { revision: 1.5 }],
    ['revision of its head is not a number', { revision: '2' }],
    ['a key that is not there', { activeKeyId: 9 }],
    ['Key 1 is suspended, but the active key is 1', { activeKeyId: 1 }],
    ['digests of its head are no list', { digests: {} }],
    ['digests of its head are no list', { digests: [[1, 'x'], null] }],
    ['digests of its head are no list', { digests: [[1, 'x'], [0, 'x']] }], // prettier-ignore
    ['digests of its head are no list', { digests: [[1, 'x'], [2, 3]] }], // prettier-ignore
    ['MAC of its head', { mac: new Uint8Array(31) }],
    ['MAC of its head', { macKey: { rootKeyId: 'x', wrapped: new Uint8Array() } }],
    ['MAC of its head', { mac: new Uint8Array(), macKey: { rootKeyId: 'x', wrapped: new Uint8Array() } }], // prettier-ignore
  ])('is refused: %s', (what, head) => {
    expect(() => checkSnapshot('default', withHead(head))).toThrow(tampered(what))
  })

  test.each<[string, object]>([
    ['A key id is no uint32', { keyId: 0 }],
    ['A key id is no uint32', { keyId: 2 ** 32 }],
    ['A key id is no uint32', { keyId: '1' }],
    ['keyring is another one', { keyring: 'other' }],
    ['state is none of the known ones', { state: 'gone' }],
    ['version is not a number', { version: 0 }],
    ['version is not a number', { version: null }],
    ['check value is not 32 bytes long', { checkValue: new Uint8Array(31) }],
    ['wrapped KEK is empty, or should be', { wrappedKek: new Uint8Array() }],
    ['wrapped KEK is empty, or should be', { state: 'destroyed' }],
    ['uses is not a number', { uses: -1 }],
    ['uses is not a number', { uses: 0.5 }],
    ['createdAt is not a time', { createdAt: null }],
    ['suspendedAt is not a time', { suspendedAt: new Date(NaN) }],
    ['rewrapped_from is no list of key ids', { rewrappedFrom: '1' }],
    ['rewrapped_from is no list of key ids', { rewrappedFrom: [1, 0] }],
    ['Key 2 is there twice', { keyId: 2, state: 'active' }],
  ])('is refused by a row of it: %s', (what, key) => {
    expect(() => checkSnapshot('default', withKey(key))).toThrow(tampered(what))
  })

  test('of a keyring of KEKs has no blind indexes', () => {
    const [lookup, writes, keys] = [1, 'lookup', [null, null]]
    const index = {
      id: 'A.b',
      normalize: [],
      isUnique: false,
      complete: true,
      lookup,
      writes,
      keys,
    }
    expect(() => checkSnapshot('default', withHead({ indexes: [index] }))).toThrow(
      tampered('has no index keys'),
    )
  })

  test('with a suite of a later release asks for an update', () => {
    expect(() => checkSnapshot('default', withKey({ suite: 0x03 }))).toThrow(
      expect.objectContaining({
        code: 'ERR_STORE_NEWER',
        fix: 'Update @rowseal/prisma-extension.',
      }),
    )
  })
})
