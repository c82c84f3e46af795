import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { moved, TRANSITIONS } from '../../../src/keys/lifecycle/states.ts'
import type {
  IndexRecord,
  KeyringSnapshot,
  KeyringWrite,
  KeyRow,
  KeyState,
  KeyStore,
} from '../../../src/keys/types.ts'
import { rowOf, writeOf } from '../support.ts'

const states = Object.keys(TRANSITIONS) as KeyState[]
const at = new Date(1_790_000_111_222)
const arrows = states.flatMap((from) => states.map((to) => [from, to] as const))

export interface Opened {
  readonly store: KeyStore
  /** The same store as another process would open it. */
  readonly another: KeyStore
  close(): Promise<void>
}

/** One promise for all stores. */
export function conformance(name: string, open: () => Promise<Opened>): void {
  describe(`the ${name} key store`, () => {
    let store: KeyStore
    let another: KeyStore
    let opened: Opened
    let nextKeyring = 0

    beforeAll(async () => {
      opened = await open()
      ;({ store, another } = opened)
      await store.init()
    })
    afterAll(() => opened.close())

    const read = async (keyring: string, from = store): Promise<KeyringSnapshot> =>
      (await from.read(keyring))!

    /** A keyring of its own, its first version active, with further versions in the given states. */
    async function keyringWith(
      ...others: KeyState[]
    ): Promise<{ keyring: string; keyIds: number[] }> {
      const keyring = `ring/${++nextKeyring}`
      const first = rowOf(await store.nextKeyId(), { keyring })
      expect(await store.write(writeOf(null, { rows: [first] }))).toBe(true)
      const keyIds = [first.keyId]
      for (const state of others) keyIds.push(await addIn(keyring, state))
      return { keyring, keyIds }
    }

    async function addIn(keyring: string, state: KeyState): Promise<number> {
      const row = await newRow(keyring)
      expect(await store.write(writeOf(await read(keyring), { rows: [row] }))).toBe(true)
      for (const to of PATHS[state]) await bring(keyring, row.keyId, to)
      return row.keyId
    }

    async function newRow(keyring: string): Promise<KeyRow> {
      const version = (await read(keyring)).keys.length + 1
      const keyId = await store.nextKeyId()
      return rowOf(keyId, { keyring, version, state: 'pre-activation', activatedAt: null })
    }

    /** Move one version, which is not the active one; the first version stays active. */
    async function bring(keyring: string, keyId: number, to: KeyState): Promise<void> {
      const before = await read(keyring)
      const row = before.keys.find((key) => key.keyId === keyId)!
      const first = before.keys[0]!
      if (to !== 'suspended' || row.state === 'active') {
        return made(writeOf(before, { rows: [moved(row, to, at)] }))
      }
      await made(takeOver(before, first, 'suspended', row))
      const between = await read(keyring)
      await made(
        takeOver(
          between,
          between.keys.find((key) => key.keyId === keyId)!,
          to,
          between.keys[0]!,
        ),
      )
    }

    function takeOver(
      before: KeyringSnapshot,
      from: KeyRow,
      leaving: KeyState,
      to: KeyRow,
    ): KeyringWrite {
      const rows = [moved(from, leaving, at), moved(to, 'active', at)]
      return writeOf(before, { activeKeyId: to.keyId, rows })
    }

    async function made(change: KeyringWrite): Promise<void> {
      expect(await store.write(change)).toBe(true)
    }

    test('has nothing for a keyring that was never created', async () => {
      expect(await store.read('nobody')).toBeNull()
      expect(await store.keyringOf(4_000_000_000)).toBeNull()
      expect(await store.reserve(4_000_000_000, 1, 10)).toBe(false)
    })

    test('can be initialised again and again', async () => {
      const { keyring } = await keyringWith()
      await store.init()
      await Promise.all([store.init(), another.init()])
      expect(await store.read(keyring)).not.toBeNull()
    })

    test('gives back every column as it was written', async () => {
      const keyring = `ring/${++nextKeyring}`
      const row = rowOf(await store.nextKeyId(), {
        keyring,
        rootKeyId: 'arn:aws:kms:eu-central-1:111122223333:key/ä-ß',
        wrappedKek: Uint8Array.from({ length: 4096 }, (_, i) => i % 256),
        checkValue: Uint8Array.from({ length: 32 }, (_, i) => 255 - i),
        suspendedAt: new Date(1_790_000_000_789),
        compromisedAt: new Date(1_790_000_000_790),
        stateAt: new Date(1_790_000_000_791),
        rewrappedFrom: [1, 4_294_967_295],
      })
      const change = writeOf(null, { rows: [row] })
      await made(change)
      const seen = await read(keyring, another)
      expect(plain(seen)).toEqual(plain({ head: change.head, keys: [row] }))
      expect(seen.keys[0]!.wrappedKek).toBeInstanceOf(Uint8Array)
      const ending = { ...moved(moved(row, 'suspended', at), 'compromised', at), destroyAt: at }
      const next = await newRow(keyring)
      await made(writeOf(seen, { rows: [next] }))
      const rows = [{ ...ending, rewrappedFrom: [] }, moved(next, 'active', at)]
      await made(writeOf(await read(keyring), { activeKeyId: next.keyId, rows }))
      expect(plain({ head: change.head, keys: (await read(keyring, another)).keys })).toEqual(
        plain({ head: change.head, keys: rows }),
      )
    })

    test('lists the versions in their order, and counts every change', async () => {
      const { keyring, keyIds } = await keyringWith('pre-activation', 'pre-activation')
      const { keys, head } = await read(keyring, another)
      expect(keys.map(({ keyId, version }) => [keyId, version])).toEqual(
        keyIds.map((keyId, i) => [keyId, i + 1]),
      )
      expect(head.revision).toBe(3)
      const third = await newRow(keyring)
      const fourth = { ...third, keyId: third.keyId + 1, version: 5 }
      await made(writeOf(await read(keyring), { rows: [fourth, third] }))
      const versions = (await read(keyring, another)).keys.map(({ version }) => version)
      expect(versions).toEqual([1, 2, 3, 4, 5])
    })

    test('lists keyrings by name, whatever came first', async () => {
      const names = ['c', 'a', 'B', 'b'].map((name) => `named/${name}`)
      for (const keyring of names) {
        await made(writeOf(null, { rows: [rowOf(await store.nextKeyId(), { keyring })] }))
      }
      expect(await another.keyrings('named/')).toEqual([...names].sort())
    })

    test('says which keyring a key id belongs to, and which keyrings there are', async () => {
      const { keyring, keyIds } = await keyringWith('pre-activation')
      for (const keyId of keyIds) expect(await another.keyringOf(keyId)).toBe(keyring)
      expect(await another.keyrings('ring/')).toContain(keyring)
      expect(await another.keyrings(keyring)).toContain(keyring)
      expect(await another.keyrings('RING/')).toEqual([])
      expect(await another.keyrings('%')).toEqual([])
    })

    test('tells keyrings apart that differ in case', async () => {
      const { keyring } = await keyringWith()
      expect(await store.read(keyring.toUpperCase())).toBeNull()
    })

    test('refuses a second keyring of the same name, and a key id that is taken', async () => {
      const { keyring, keyIds } = await keyringWith()
      const before = await read(keyring)
      const second = rowOf(await store.nextKeyId(), { keyring })
      expect(await store.write(writeOf(null, { rows: [second] }))).toBe(false)
      const taken = rowOf(keyIds[0]!, { keyring: 'other' })
      expect(await store.write(writeOf(null, { rows: [taken] }))).toBe(false)
      expect(await store.read('other')).toBeNull()
      expect(await read(keyring)).toEqual(before)
    })

    test('refuses a version or a key id that is taken, and changes nothing then', async () => {
      const { keyring, keyIds } = await keyringWith('pre-activation')
      const other = await keyringWith()
      const before = await read(keyring)
      const row = await newRow(keyring)
      const attempts = [
        { ...row, version: 2 },
        { ...row, keyId: other.keyIds[0]! },
      ]
      for (const attempt of attempts) {
        expect(await store.write(writeOf(before, { rows: [attempt] }))).toBe(false)
      }
      const again = writeOf(before, { rows: [{ ...row, keyId: keyIds[1]! }] })
      const asNew = { ...again, rows: again.rows.map((write) => ({ ...write, from: null })) }
      expect(await store.write(asNew)).toBe(false)
      const nobody = writeOf(before, { rows: [] })
      const head = { ...nobody.head, keyring: 'nobody' }
      expect(await store.write({ ...nobody, keyring: 'nobody', head })).toBe(false)
      expect(await read(keyring)).toEqual(before)
    })

    test('of two writers at once lets exactly one through, whatever the transition', async () => {
      for (const [from, to] of arrows) {
        if (TRANSITIONS[from][to] === undefined) continue
        const { keyring, keyIds } = await keyringWith(from === 'active' ? 'pre-activation' : from)
        const before = await read(keyring)
        const change = (): KeyringWrite => arrowWrite(before, keyIds, from, to)
        const won = await Promise.all([store.write(change()), another.write(change())])
        expect([from, to, ...won.filter(Boolean)]).toEqual([from, to, true])
        const after = await read(keyring, another)
        expect(after.head.revision).toBe(before.head.revision + 1)
        expect(after.keys.filter(({ state }) => state === 'active')).toHaveLength(1)
      }
    })

    test('of two keyrings and two versions made at once keeps one', async () => {
      for (let round = 0; round < 5; round++) {
        const keyring = `ring/${++nextKeyring}`
        const keyId = await store.nextKeyId()
        const create = (id: number): KeyringWrite =>
          writeOf(null, { rows: [rowOf(id, { keyring })] })
        const created = await Promise.all([
          store.write(create(keyId)),
          another.write(create(keyId + 1)),
        ])
        expect(created.filter(Boolean)).toHaveLength(1)
        const before = await read(keyring)
        const add = (id: number): KeyringWrite =>
          writeOf(before, {
            rows: [rowOf(id, { keyring, version: 2, state: 'pre-activation' })],
          })
        const added = await Promise.all([
          store.write(add(keyId + 2)),
          another.write(add(keyId + 3)),
        ])
        expect(added.filter(Boolean)).toHaveLength(1)
        expect((await read(keyring)).keys).toHaveLength(2)
      }
    })

    test('of two keyrings that take the same key id at once lets one have it', async () => {
      const [one, two] = [await keyringWith(), await keyringWith()]
      const keyId = await store.nextKeyId()
      const add = async ({ keyring }: { keyring: string }): Promise<KeyringWrite> =>
        writeOf(await read(keyring), {
          rows: [rowOf(keyId, { keyring, version: 2, state: 'pre-activation' })],
        })
      const [a, b] = [await add(one), await add(two)]
      const added = await Promise.all([store.write(a), another.write(b)])
      expect(added.filter(Boolean)).toHaveLength(1)
      expect(await store.keyringOf(keyId)).toBe(added[0] ? one.keyring : two.keyring)
    })

    test('changes nothing if a key is in another state than expected', async () => {
      const { keyring, keyIds } = await keyringWith('suspended', 'pre-activation')
      const before = await read(keyring)
      const change = arrowWrite(before, keyIds, 'suspended', 'active')
      const rows = change.rows.map((row) =>
        row.from === 'suspended' ? { ...row, from: 'pre-activation' as const } : row,
      )
      expect(await another.write({ ...change, rows })).toBe(false)
      expect(await read(keyring, another)).toEqual(before)
    })

    test('changes nothing on a revision or an active key that is not the one read', async () => {
      const { keyring, keyIds } = await keyringWith('suspended')
      const before = await read(keyring)
      const change = arrowWrite(before, keyIds, 'suspended', 'compromised')
      const { revision } = before.head
      for (const expectedRevision of [revision - 1, revision + 1]) {
        expect(await store.write({ ...change, expectedRevision })).toBe(false)
      }
      const head = { ...change.head, activeKeyId: keyIds[1]! }
      const other = { ...change, formerKeyId: keyIds[1]!, head, rows: [] }
      expect(await store.write(other)).toBe(false)
      expect(await read(keyring, another)).toEqual(before)
    })

    test('does not touch a key of another keyring', async () => {
      const { keyring } = await keyringWith()
      const other = await keyringWith('suspended')
      const row = (await read(other.keyring)).keys[1]!
      const stolen = writeOf(await read(keyring), { rows: [] })
      const rows = [
        { from: 'suspended', row: moved({ ...row, keyring }, 'compromised', at) },
      ] as const
      expect(await store.write({ ...stolen, rows })).toBe(false)
      expect((await read(other.keyring)).keys[1]!.state).toBe('suspended')
    })

    const indexOf = (id: string): IndexRecord => ({
      id,
      normalize: ['nfc', 'trim'],
      isUnique: false,
      complete: false,
      lookup: 1,
      writes: 'lookup',
      keys: [null, null],
    })

    test('gives back the indexes as they were written, however many', async () => {
      const { keyring, keyIds } = await keyringWith()
      const unique = { ...indexOf('Ü.\u{1f3e5} "\\\n'), isUnique: true, complete: true }
      const moving = { ...unique, lookup: 2, writes: 'both', keys: [keyIds[0]!, null] } as const
      const many = Array.from({ length: 1000 }, (_, i) => indexOf(`User.index${i}`))
      await made(writeOf(await read(keyring), { indexes: [moving, ...many] }))
      expect((await read(keyring, another)).head.indexes).toEqual([moving, ...many])
      await made(writeOf(await read(keyring), { indexes: [] }))
      expect((await read(keyring)).head.indexes).toEqual([])
    })

    test('holds copies of its own, not what somebody wrote or read', async () => {
      const { keyring } = await keyringWith()
      const index = indexOf('User.a')
      await made(writeOf(await read(keyring), { indexes: [index] }))
      Object.assign(index, { id: 'User.b' })
      Object.assign((await read(keyring)).head.indexes[0]!, { id: 'User.c' })
      ;(await read(keyring)).keys[0]!.wrappedKek.fill(0)
      const { head, keys } = await read(keyring)
      expect(head.indexes).toEqual([indexOf('User.a')])
      expect(keys[0]!.wrappedKek.some((byte) => byte !== 0)).toBe(true)
    })

    test('changes keys and indexes together or not at all', async () => {
      const { keyring, keyIds } = await keyringWith('suspended')
      const before = await read(keyring)
      const rows = [moved(before.keys[1]!, 'compromised', at)]
      const both = writeOf(before, { rows, indexes: [indexOf('User.a')] })
      const wrong = [{ ...both.rows[0]!, from: 'deactivated' as const }]
      expect(await store.write({ ...both, rows: wrong })).toBe(false)
      expect(await read(keyring, another)).toEqual(before)
      await made(both)
      const after = await read(keyring, another)
      expect(after.keys.find(({ keyId }) => keyId === keyIds[1])!.state).toBe('compromised')
      expect(after.head.indexes).toEqual([indexOf('User.a')])
    })

    test('adds up uses, whoever reserves them, and never over the limit', async () => {
      const { keyring, keyIds } = await keyringWith('pre-activation')
      const [keyId] = keyIds as [number]
      const before = await read(keyring)
      const many = Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? store : another).reserve(keyId, 7, 100),
      )
      const granted = (await Promise.all(many)).filter(Boolean).length
      expect(granted).toBe(14)
      const after = await read(keyring, another)
      expect(after.keys.map(({ uses }) => uses)).toEqual([98, 0])
      expect(after.head).toEqual(before.head)
      expect(await store.reserve(keyId, 2, 100)).toBe(true)
      expect(await store.reserve(keyId, 1, 100)).toBe(false)
      expect(await store.reserve(keyId, 2 ** 31, 2 ** 32)).toBe(true)
      expect((await read(keyring)).keys[0]!.uses).toBe(100 + 2 ** 31)
    })

    test('keeps the uses when a row is written', async () => {
      const { keyring, keyIds } = await keyringWith('pre-activation')
      const before = await read(keyring)
      await store.reserve(keyIds[1]!, 5, 100)
      await made(writeOf(before, { rows: [moved(before.keys[1]!, 'compromised', at)] }))
      expect((await read(keyring)).keys[1]).toMatchObject({ uses: 5, state: 'compromised' })
    })

    test.each(arrows)('goes from %s to %s if and only if the table says so', async (from, to) => {
      const { keyring, keyIds } = await keyringWith(from === 'active' ? 'pre-activation' : from)
      const before = await read(keyring)
      const change = arrowWrite(before, keyIds, from, to)
      if (from !== to && TRANSITIONS[from][to] === undefined) {
        await expect(store.write(change)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
        expect(await read(keyring)).toEqual(before)
        return
      }
      if (from === to) return
      await made(change)
      const after = await read(keyring, another)
      const keyId = from === 'active' ? keyIds[0]! : keyIds[1]!
      expect(after.keys.find((row) => row.keyId === keyId)!.state).toBe(to)
      expect(after.head).toEqual(change.head)
    })

    /** A write that takes the version of that state along an arrow, with whatever must go with it. */
    function arrowWrite(
      before: KeyringSnapshot,
      keyIds: readonly number[],
      from: KeyState,
      to: KeyState,
    ): KeyringWrite {
      const find = (keyId: number): KeyRow => before.keys.find((row) => row.keyId === keyId)!
      const [first, second] = [find(keyIds[0]!), find(keyIds[1]!)]
      if (from === 'active') return takeOver(before, first, to, second)
      if (to === 'active') return takeOver(before, first, 'suspended', second)
      return writeOf(before, { rows: [moved(second, to, at)] })
    }
  })
}

/** Steps that bring a new version into a state. */
const PATHS: Readonly<Record<KeyState, readonly KeyState[]>> = {
  'pre-activation': [],
  active: [],
  suspended: ['suspended'],
  deactivated: ['suspended', 'deactivated'],
  compromised: ['compromised'],
  destroyed: ['destroyed'],
}

/** With bytes as plain arrays, so that Buffers equal them. */
function plain({ head, keys }: KeyringSnapshot): object {
  return {
    head: {
      ...head,
      mac: [...head.mac],
      macKey: { ...head.macKey, wrapped: [...head.macKey.wrapped] },
    },
    keys: keys.map((row) => ({
      ...row,
      wrappedKek: [...row.wrappedKek],
      checkValue: [...row.checkValue],
    })),
  }
}
