import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestsOf } from '../../../src/keys/reading/authentic.ts'
import {
  compromiseKey,
  destroyKey,
  initKeyring,
  openKeyring,
  retireKey,
  rotate,
  scheduleDestruction,
  type Keyring,
} from '../../../src/keys/index.ts'
import type { Dek, KeyringSnapshot, KeyRow, KeyStore, RootKey } from '../../../src/keys/types.ts'
import { newRoot } from '../support.ts'

export interface Tampered {
  readonly store: KeyStore
  /** Put a keyring's head and rows in place of what is there, as somebody who writes where the store is kept. */
  overwrite(snapshot: KeyringSnapshot): Promise<void>
  close(): Promise<void>
}

/** What an edit can take from. */
interface Material {
  /** As it was when version 2 was active and version 1 suspended. */
  readonly former: KeyringSnapshot
  /** Another keyring of the same store and root key. */
  readonly other: KeyringSnapshot
}
type Edit = (now: KeyringSnapshot, material: Material) => KeyringSnapshot

const STATES = ['destroyed', 'compromised', 'suspended', 'active']
const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 9 ? ~byte : byte))
const later = (at: Date | null): Date => new Date((at?.getTime() ?? 1_790_000_000_000) + 1)

/** The row of a version, changed. */
const row =
  (version: number, change: (row: KeyRow, all: readonly KeyRow[]) => Partial<KeyRow>): Edit =>
  ({ head, keys }) => ({
    head,
    keys: keys.map((key) => (key.version === version ? { ...key, ...change(key, keys) } : key)),
  })
const head =
  (change: (now: KeyringSnapshot, material: Material) => object): Edit =>
  (now, material) => ({ ...now, head: { ...now.head, ...change(now, material) } })
/** As the former state of a version, its digest in the head put back too if asked. */
const putBack =
  (version: number, withDigest: boolean): Edit =>
  (now, { former }) => {
    const old = former.keys.find((key) => key.version === version)!
    const keys = now.keys.map((key) => (key.version === version ? old : key))
    return { head: withDigest ? { ...now.head, digests: digestsOf(keys) } : now.head, keys }
  }
/** Make another version active, and the active one suspended, digests and all. */
const activated =
  (version: number): Edit =>
  ({ head, keys }) => {
    const next = keys.map((key): KeyRow => {
      if (key.version === version) return { ...key, state: 'active' }
      return key.state === 'active' ? { ...key, state: 'suspended' } : key
    })
    const { keyId: activeKeyId } = next.find(({ state }) => state === 'active')!
    return { head: { ...head, activeKeyId, digests: digestsOf(next) }, keys: next }
  }

const ROW = /key \d+/i
const HEAD = /its head/i
const EDITS: readonly (readonly [what: string, edit: Edit, names: RegExp])[] = [
  ['key id of a row', row(3, ({ keyId }) => ({ keyId: keyId + 100_000 })), ROW],
  ['version of a row', row(3, () => ({ version: 13 })), ROW],
  ['state of a row', row(3, () => ({ state: 'deactivated' })), ROW],
  ['state of a compromised row', row(2, () => ({ state: 'suspended' })), ROW],
  ['state of the active row', row(4, () => ({ state: 'suspended' })), ROW],
  ['suite of a row', row(3, () => ({ suite: 2 })), ROW],
  ['root key id of a row', row(3, () => ({ rootKeyId: 'local:0000000000000000' })), ROW],
  ['wrapped KEK of a row', row(3, ({ wrappedKek }) => ({ wrappedKek: flipped(wrappedKek) })), ROW],
  ['check value of a row', row(3, ({ checkValue }) => ({ checkValue: flipped(checkValue) })), ROW],
  ['created_at of a row', row(3, ({ createdAt }) => ({ createdAt: later(createdAt) })), ROW],
  ['activated_at of a row', row(3, () => ({ activatedAt: null })), ROW],
  [
    'suspended_at of a row',
    row(3, ({ suspendedAt }) => ({ suspendedAt: later(suspendedAt) })),
    ROW,
  ],
  ['compromised_at of a row', row(2, () => ({ compromisedAt: null })), ROW],
  ['destroy_at of a row', row(2, () => ({ destroyAt: later(null) })), ROW],
  ['destroy_at of a row, to no time', row(2, () => ({ destroyAt: new Date(NaN) })), ROW],
  ['state_at of a row', row(3, ({ stateAt }) => ({ stateAt: later(stateAt) })), ROW],
  ['rewrapped_from of a row', row(3, (_, [one]) => ({ rewrappedFrom: [one!.keyId] })), ROW],
  ['active key of the head', head(({ keys }) => ({ activeKeyId: keys[2]!.keyId })), ROW],
  ['revision of the head', head(({ head }) => ({ revision: head.revision + 1 })), HEAD],
  ['revision of the head, far up', head(() => ({ revision: 2 ** 40 })), HEAD],
  ['a digest in the head', head((_, { former }) => ({ digests: digestsOf(former.keys) })), HEAD],
  ['no digests in the head', head(() => ({ digests: [] })), HEAD],
  ['MAC of the head', head(({ head }) => ({ mac: flipped(head.mac) })), HEAD],
  ['MAC of the head, to an older one', head((_, { former }) => ({ mac: former.head.mac })), HEAD],
  ['MAC key', head(({ head: { macKey } }) => ({
    macKey: { ...macKey, wrapped: flipped(macKey.wrapped) },
  })), HEAD], // prettier-ignore
  ["another keyring's MAC key", head((_, { other }) => ({ macKey: other.head.macKey })), HEAD],
  ["another keyring's MAC key and MAC", head((_, { other }) => ({
    macKey: other.head.macKey,
    mac: other.head.mac,
  })), HEAD], // prettier-ignore
  ['wrapped KEKs swapped', (now) => swapped(now, ['wrappedKek']), ROW],
  [
    'wrapped KEKs swapped with their check values',
    (now) => swapped(now, ['wrappedKek', 'checkValue']),
    ROW,
  ],
  ['an old version made active', activated(3), HEAD],
  ['a compromised version made active', activated(2), HEAD],
  ['a destroyed version as it was before', putBack(1, false), ROW],
  ['a destroyed version as it was before, and its digest', putBack(1, true), HEAD],
  ['a compromised version as it was before', putBack(2, false), ROW],
  [
    'a row taken away',
    ({ head, keys }) => ({ head, keys: keys.filter(({ version }) => version !== 3) }),
    ROW,
  ],
  ['the compromised row taken away, and its digest', ({ head, keys }) => {
    const left = keys.filter(({ version }) => version !== 2)
    return { head: { ...head, digests: digestsOf(left) }, keys: left }
  }, HEAD], // prettier-ignore
  ['a row added', ({ head, keys }) => ({ head, keys: [...keys, added(keys[2]!)] }), ROW],
  ['a row added, and its digest', ({ head, keys }) => {
    const next = [...keys, added(keys[2]!)]
    return { head: { ...head, digests: digestsOf(next) }, keys: next }
  }, HEAD], // prettier-ignore
  ['all of an older state', (_, { former }) => former, HEAD],
]

function swapped(
  { head, keys }: KeyringSnapshot,
  columns: readonly (keyof KeyRow)[],
): KeyringSnapshot {
  const [, , three, four] = keys as [KeyRow, KeyRow, KeyRow, KeyRow]
  const from = (row: KeyRow): object => Object.fromEntries(columns.map((name) => [name, row[name]]))
  const next = keys.map((key) => {
    if (key === three) return { ...three, ...from(four) }
    return key === four ? { ...four, ...from(three) } : key
  })
  return { head, keys: next }
}

function added(like: KeyRow): KeyRow {
  return { ...like, keyId: like.keyId + 500_000, version: 5, state: 'pre-activation' }
}

/** Whoever can write where a store is kept, but not use the root key, changes nothing unnoticed. */
export function tampering(name: string, open: () => Promise<Tampered>): void {
  describe(`the ${name} key store, written by somebody without the root key`, () => {
    const root: RootKey = newRoot()
    let opened: Tampered
    let running: Keyring
    let dek: Dek
    let material: Material
    let now: KeyringSnapshot
    const options = (name = 'ring/a'): Parameters<typeof openKeyring>[0] => ({
      root,
      store: opened.store,
      name,
    })
    const read = async (name: string): Promise<KeyringSnapshot> => (await opened.store.read(name))!

    beforeAll(async () => {
      opened = await open()
      const other = await openKeyring(options('ring/b'))
      await initKeyring(other)
      running = await openKeyring(options())
      await initKeyring(running)
      await rotate(running)
      const former = await read('ring/a')
      await rotate(running)
      await rotate(running)
      const [one, two] = running.keys() as [KeyRow, KeyRow]
      await compromiseKey(running, two.keyId)
      await retireKey(running, one.keyId)
      await scheduleDestruction(running, one.keyId, new Date(0))
      await destroyKey(running, one.keyId)
      expect(running.keys().map(({ state }) => state)).toEqual(STATES)
      ;[dek] = (await running.forProtect(1)) as [Dek]
      material = { former, other: await read('ring/b') }
      now = await read('ring/a')
    })
    afterAll(() => opened.close())

    test.each(EDITS)(
      '%s: is said, and nothing is sealed until it is put right',
      async (_, edit, names) => {
        const refusal = { code: 'ERR_STORE_TAMPERED', message: expect.stringMatching(names) }
        await opened.overwrite(edit(now, material))
        await expect(running.refresh()).rejects.toMatchObject(refusal)
        await expect(running.forProtect(1)).rejects.toMatchObject(refusal)
        await expect(rotate(running)).rejects.toMatchObject(refusal)
        expect((await running.forProcess([dek]))[0]!.equals(dek.key)).toBe(true)
        const anchored = { ...options(), minRevision: now.head.revision }
        await expect(openKeyring(anchored)).rejects.toMatchObject(refusal)
        await opened.overwrite(now)
        expect(await running.forProtect(1)).toHaveLength(1)
        await openKeyring(anchored)
      },
    )

    test.each(EDITS.filter(([what]) => what !== 'all of an older state'))(
      '%s: is said at start-up without an anchor too',
      async (_, edit, names) => {
        await opened.overwrite(edit(now, material))
        const opening = openKeyring(options())
        await expect(opening).rejects.toMatchObject({
          code: 'ERR_STORE_TAMPERED',
          message: expect.stringMatching(names),
        })
        await opened.overwrite(now)
      },
    )

    test('all of an older state is not noticed at start-up without an anchor', async () => {
      await opened.overwrite(material.former)
      const late = await openKeyring(options())
      expect(late.keys().map(({ state }) => state)).toEqual(['suspended', 'active'])
      await opened.overwrite(now)
    })

    test('a suite from the future is not sealed under', async () => {
      await opened.overwrite(row(4, () => ({ suite: 3 as 2 }))(now, material))
      const refusal = { code: 'ERR_STORE_NEWER' }
      await expect(running.refresh()).rejects.toMatchObject(refusal)
      await expect(running.forProtect(1)).rejects.toMatchObject(refusal)
      await expect(openKeyring(options())).rejects.toMatchObject(refusal)
      await opened.overwrite(now)
      expect(await running.forProtect(1)).toHaveLength(1)
    })

    test('the root key id of the MAC key: is refused as another root key is', async () => {
      const macKey = { ...now.head.macKey, rootKeyId: 'local:0000000000000000' }
      await opened.overwrite({ ...now, head: { ...now.head, macKey } })
      const refusal = { code: 'ERR_KEY_MISMATCH' }
      await expect(running.refresh()).rejects.toMatchObject(refusal)
      await expect(running.forProtect(1)).rejects.toMatchObject(refusal)
      await expect(openKeyring(options())).rejects.toMatchObject(refusal)
      await opened.overwrite(now)
      expect(await running.forProtect(1)).toHaveLength(1)
    })

    test('all of another keyring under this name does not open', async () => {
      const { head, keys } = material.other
      await opened.overwrite({
        head: { ...head, keyring: 'ring/a' },
        keys: keys.map((key) => ({ ...key, keyId: key.keyId + 700_000, keyring: 'ring/a' })),
      })
      await expect(openKeyring(options())).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
      await opened.overwrite(now)
    })

    test('the uses of a key are not authenticated, and may be edited', async () => {
      await opened.overwrite(row(4, ({ uses }) => ({ uses: uses + 5 }))(now, material))
      await running.refresh()
      expect(running.keys()[3]!.uses).toBe(now.keys[3]!.uses + 5)
      await opened.overwrite(now)
    })

    test('bytes of any kind do not make it through', async () => {
      const noise = Uint8Array.from(randomBytes(60))
      await opened.overwrite(row(4, () => ({ wrappedKek: noise }))(now, material))
      await expect(openKeyring(options())).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
      await opened.overwrite(now)
    })
  })
}
