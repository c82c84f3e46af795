import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { TRANSITIONS } from '../../src/keys/states.ts'
import type {
  IndexRecord,
  KeyringChange,
  KeyRow,
  KeyState,
  KeyStore,
} from '../../src/keys/types.ts'
import { place, providers, rowOf, type Place } from './support.ts'

const states = Object.keys(TRANSITIONS) as KeyState[]
const at = new Date(1_790_000_111_222)

/** One promise for all stores. `another` is the same store through another connection pool. */
function conformance(
  name: string,
  open: () => Promise<{ store: KeyStore; another: KeyStore; close(): Promise<void> }>,
): void {
  describe(name, () => {
    let store: KeyStore
    let another: KeyStore
    let opened: Awaited<ReturnType<typeof open>>
    let nextKeyring = 0

    beforeAll(async () => {
      opened = await open()
      ;({ store, another } = opened)
    })
    afterAll(() => opened.close())

    /** A keyring of its own with key versions in the given states, the first of them active. */
    async function keyringWith(
      ...others: KeyState[]
    ): Promise<{ keyring: string; keyIds: number[] }> {
      const keyring = `ring/${++nextKeyring}`
      const keyIds = [await store.nextKeyId()]
      expect(await store.create(rowOf(keyIds[0]!, { keyring }))).toBe(true)
      for (const state of others) keyIds.push(await addIn(keyring, keyIds, state))
      return { keyring, keyIds }
    }

    async function addIn(keyring: string, keyIds: number[], state: KeyState): Promise<number> {
      const keyId = await store.nextKeyId()
      const version = keyIds.length + 1
      expect(await store.add(rowOf(keyId, { keyring, version, state: 'pre-activation' }))).toBe(
        true,
      )
      for (const [from, to] of pathTo(state)) await step(keyring, keyId, from, to)
      return keyId
    }

    /** Activating goes through a rotation there and back, so that the first version stays active. */
    async function step(
      keyring: string,
      keyId: number,
      from: KeyState,
      to: KeyState,
    ): Promise<void> {
      const { head } = (await store.read(keyring))!
      const isRotation = to === 'suspended' && from === 'pre-activation'
      if (!isRotation) return change(keyring, head.activeKeyId, [{ keyId, from, to }])
      const first = head.activeKeyId
      await change(keyring, keyId, [
        { keyId: first, from: 'active', to: 'suspended' },
        { keyId, from, to: 'active' },
      ])
      await change(keyring, first, [
        { keyId, from: 'active', to },
        { keyId: first, from: 'suspended', to: 'active' },
      ])
    }

    async function change(
      keyring: string,
      activeKeyId: number,
      transitions: KeyringChange['transitions'],
    ): Promise<void> {
      const { head } = (await store.read(keyring))!
      const made = await store.change({
        keyring,
        expectedRevision: head.revision,
        activeKeyId,
        transitions,
        at,
      })
      expect(made).toBe(true)
    }

    test('has nothing for a keyring that was never created', async () => {
      expect(await store.read('nobody')).toBeNull()
      expect(await store.keyringOf(4_000_000_000)).toBeNull()
    })

    test('can be initialised again and again', async () => {
      const { keyring } = await keyringWith()
      await store.init()
      await Promise.all([store.init(), another.init()])
      expect(await store.read(keyring)).not.toBeNull()
    })

    test('gives back every column of a key row as it was written', async () => {
      const keyring = `ring/${++nextKeyring}`
      const row = rowOf(await store.nextKeyId(), {
        keyring,
        rootKeyId: 'arn:aws:kms:eu-central-1:111122223333:key/ä-ß',
        wrappedKek: Uint8Array.from({ length: 4096 }, (_, i) => i % 256),
        suspendedAt: new Date(1_790_000_000_789),
      })
      await store.create(row)
      const read = (await another.read(keyring))!
      expect(read.head).toEqual({
        keyring,
        activeKeyId: row.keyId,
        revision: 1,
        indexes: [],
      })
      expect({ ...read.keys[0]!, wrappedKek: null, checkValue: null }).toEqual({
        ...row,
        wrappedKek: null,
        checkValue: null,
      })
      expect(Buffer.from(read.keys[0]!.wrappedKek).equals(row.wrappedKek)).toBe(true)
      expect(Buffer.from(read.keys[0]!.checkValue).equals(row.checkValue)).toBe(true)
      expect(read.keys[0]!.wrappedKek).toBeInstanceOf(Uint8Array)
    })

    test('lists the versions in their order', async () => {
      const { keyring, keyIds } = await keyringWith('pre-activation', 'pre-activation')
      const { keys, head } = (await another.read(keyring))!
      expect(keys.map(({ keyId, version }) => [keyId, version])).toEqual(
        keyIds.map((keyId, i) => [keyId, i + 1]),
      )
      expect(head.revision).toBe(3)
    })

    test('says which keyring a key id belongs to', async () => {
      const { keyring, keyIds } = await keyringWith('pre-activation')
      for (const keyId of keyIds) expect(await another.keyringOf(keyId)).toBe(keyring)
    })

    test('tells keyrings apart that differ in case', async () => {
      const { keyring } = await keyringWith()
      expect(await store.read(keyring.toUpperCase())).toBeNull()
    })

    test('refuses a second keyring of the same name, and a key id that is taken', async () => {
      const { keyring, keyIds } = await keyringWith()
      const before = await store.read(keyring)
      expect(await store.create(rowOf(await store.nextKeyId(), { keyring }))).toBe(false)
      expect(await store.create(rowOf(keyIds[0]!, { keyring: 'other' }))).toBe(false)
      expect(await store.read('other')).toBeNull()
      expect(await store.read(keyring)).toEqual(before)
    })

    test('refuses a version or a key id that is taken, and changes nothing then', async () => {
      const { keyring, keyIds } = await keyringWith('pre-activation')
      const before = await store.read(keyring)
      const keyId = await store.nextKeyId()
      const pending = { keyring, state: 'pre-activation' } as const
      expect(await store.add(rowOf(keyId, { ...pending, version: 2 }))).toBe(false)
      expect(await store.add(rowOf(keyIds[1]!, { ...pending, version: 3 }))).toBe(false)
      expect(await store.add(rowOf(keyId, { ...pending, keyring: 'nobody' }))).toBe(false)
      expect(await store.read(keyring)).toEqual(before)
    })

    test('of two rotations at once lets exactly one through', async () => {
      for (let round = 0; round < 5; round++) {
        const { keyring, keyIds } = await keyringWith('pre-activation', 'pre-activation')
        const { head } = (await store.read(keyring))!
        const rotateTo = (from: KeyStore, keyId: number): Promise<boolean> =>
          from.change({
            keyring,
            expectedRevision: head.revision,
            activeKeyId: keyId,
            transitions: [
              { keyId: keyIds[0]!, from: 'active', to: 'suspended' },
              { keyId, from: 'pre-activation', to: 'active' },
            ],
            at,
          })
        const won = await Promise.all([rotateTo(store, keyIds[1]!), rotateTo(another, keyIds[2]!)])
        expect(won.filter(Boolean)).toHaveLength(1)
        const after = (await another.read(keyring))!
        expect(after.head).toEqual({
          keyring,
          activeKeyId: keyIds[won[0] ? 1 : 2],
          revision: head.revision + 1,
          indexes: [],
        })
        expect(after.keys.filter(({ state }) => state === 'active')).toHaveLength(1)
      }
    })

    test('of two keyrings and two versions made at once keeps one', async () => {
      for (let round = 0; round < 5; round++) {
        const keyring = `ring/${++nextKeyring}`
        const keyId = await store.nextKeyId()
        const created = await Promise.all([
          store.create(rowOf(keyId, { keyring })),
          another.create(rowOf(keyId + 1, { keyring })),
        ])
        expect(created.filter(Boolean)).toHaveLength(1)
        const next = { keyring, version: 2, state: 'pre-activation' } as const
        const added = await Promise.all([
          store.add(rowOf(keyId + 2, next)),
          another.add(rowOf(keyId + 3, next)),
        ])
        expect(added.filter(Boolean)).toHaveLength(1)
        expect((await store.read(keyring))!.keys).toHaveLength(2)
      }
    })

    test('changes nothing if one of several keys is in another state than expected', async () => {
      const { keyring, keyIds } = await keyringWith('suspended')
      const before = (await store.read(keyring))!
      const made = await another.change({
        keyring,
        expectedRevision: before.head.revision,
        activeKeyId: keyIds[1]!,
        transitions: [
          { keyId: keyIds[0]!, from: 'active', to: 'suspended' },
          { keyId: keyIds[1]!, from: 'pre-activation', to: 'active' },
        ],
        at,
      })
      expect(made).toBe(false)
      expect(await another.read(keyring)).toEqual(before)
    })

    test('changes nothing on a revision that is not the one read', async () => {
      const { keyring, keyIds } = await keyringWith('suspended')
      const before = (await store.read(keyring))!
      for (const expectedRevision of [before.head.revision - 1, before.head.revision + 1]) {
        const transitions = [{ keyId: keyIds[1]!, from: 'suspended', to: 'compromised' }] as const
        const activeKeyId = keyIds[0]!
        const made = await store.change({ keyring, expectedRevision, activeKeyId, transitions, at })
        expect(made).toBe(false)
      }
      expect(await another.read(keyring)).toEqual(before)
    })

    test('does not touch a key of another keyring', async () => {
      const { keyring, keyIds } = await keyringWith()
      const other = await keyringWith('suspended')
      const made = await store.change({
        keyring,
        expectedRevision: 1,
        activeKeyId: keyIds[0]!,
        transitions: [{ keyId: other.keyIds[1]!, from: 'suspended', to: 'compromised' }],
        at,
      })
      expect(made).toBe(false)
    })

    test('notes when a version became active and when it ceased to be', async () => {
      const { keyring, keyIds } = await keyringWith('suspended')
      const [first, second] = (await store.read(keyring))!.keys as [KeyRow, KeyRow]
      expect(first.suspendedAt).toBeNull()
      expect(first.activatedAt).toEqual(rowOf(1).activatedAt)
      expect(second.suspendedAt).toEqual(at)
      await change(keyring, keyIds[0]!, [
        { keyId: keyIds[1]!, from: 'suspended', to: 'compromised' },
      ])
      expect((await store.read(keyring))!.keys[1]!.suspendedAt).toEqual(at)
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

    /** Change the indexes alone. */
    async function list(
      from: KeyStore,
      keyring: string,
      revision: number,
      ...indexes: IndexRecord[]
    ): Promise<boolean> {
      const { activeKeyId } = (await store.read(keyring))!.head
      const change = { keyring, expectedRevision: revision, activeKeyId, transitions: [], at }
      return from.change({ ...change, indexes })
    }

    test('gives back the indexes as they were written, however many', async () => {
      const { keyring, keyIds } = await keyringWith()
      const unique = { ...indexOf('Ü.\u{1f3e5} "\\\n'), isUnique: true, complete: true }
      const moving = { ...unique, lookup: 2, writes: 'both', keys: [keyIds[0]!, null] } as const
      const many = Array.from({ length: 1000 }, (_, i) => indexOf(`User.index${i}`))
      expect(await list(store, keyring, 1, moving, ...many)).toBe(true)
      const { head } = (await another.read(keyring))!
      expect(head.revision).toBe(2)
      expect(head.indexes).toEqual([moving, ...many])
      expect(await list(another, keyring, 2)).toBe(true)
      expect((await store.read(keyring))!.head.indexes).toEqual([])
    })

    test('holds indexes of its own, not those of whoever wrote or read them', async () => {
      const { keyring } = await keyringWith()
      const index = indexOf('User.a')
      await list(store, keyring, 1, index)
      Object.assign(index, { id: 'User.b' })
      Object.assign((await store.read(keyring))!.head.indexes[0]!, { id: 'User.c' })
      expect((await store.read(keyring))!.head.indexes).toEqual([indexOf('User.a')])
    })

    test('leaves the indexes as they are when a change does not name them', async () => {
      const { keyring, keyIds } = await keyringWith('suspended')
      const { head } = (await store.read(keyring))!
      await list(store, keyring, head.revision, indexOf('User.a'))
      await change(keyring, keyIds[0]!, [
        { keyId: keyIds[1]!, from: 'suspended', to: 'deactivated' },
      ])
      await addIn(keyring, keyIds, 'pre-activation')
      expect((await another.read(keyring))!.head.indexes).toEqual([indexOf('User.a')])
    })

    test('changes keys and indexes together or not at all', async () => {
      const { keyring, keyIds } = await keyringWith('suspended')
      const before = (await store.read(keyring))!
      const both = (from: KeyState): Promise<boolean> =>
        store.change({
          keyring,
          expectedRevision: before.head.revision,
          activeKeyId: keyIds[0]!,
          transitions: [{ keyId: keyIds[1]!, from, to: 'compromised' }],
          indexes: [indexOf('User.a')],
          at,
        })
      expect(await both('deactivated')).toBe(false)
      expect(await list(another, keyring, before.head.revision + 1, indexOf('User.a'))).toBe(false)
      expect(await another.read(keyring)).toEqual(before)
      expect(await both('suspended')).toBe(true)
      const after = (await another.read(keyring))!
      expect(after.keys[1]!.state).toBe('compromised')
      expect(after.head.indexes).toEqual([indexOf('User.a')])
    })

    test('of two lists of indexes at once keeps exactly one', async () => {
      for (let round = 0; round < 5; round++) {
        const { keyring } = await keyringWith()
        const won = await Promise.all([
          list(store, keyring, 1, indexOf('User.a')),
          list(another, keyring, 1, indexOf('User.b')),
        ])
        expect(won.filter(Boolean)).toHaveLength(1)
        const { head } = (await another.read(keyring))!
        expect(head).toMatchObject({
          revision: 2,
          indexes: [{ id: won[0] ? 'User.a' : 'User.b' }],
        })
      }
    })

    const arrows = states.flatMap((from) => states.map((to) => [from, to] as const))
    test.each(arrows)('goes from %s to %s if and only if the table says so', async (from, to) => {
      const isActive = from === 'active'
      const { keyring, keyIds } = await keyringWith(...(isActive ? [] : [from]))
      const successor =
        isActive || to === 'active' ? await successorOf(keyring, keyIds, from) : null
      const keyId = isActive ? keyIds[0]! : keyIds[1]!
      const { head } = (await store.read(keyring))!
      const activeKeyId = to === 'active' ? keyId : (successor ?? keyIds[0]!)
      const transitions = [{ keyId, from, to }]
      if (isActive && to !== 'active') {
        transitions.push({ keyId: successor!, from: 'pre-activation', to: 'active' })
      } else if (to === 'active') {
        transitions.unshift({ keyId: keyIds[0]!, from: 'active', to: 'suspended' })
      }
      const move = { keyring, expectedRevision: head.revision, activeKeyId, transitions, at }
      if (TRANSITIONS[from][to] === undefined) {
        await expect(store.change(move)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
        expect((await store.read(keyring))!.head).toEqual(head)
      } else {
        expect(await store.change(move)).toBe(true)
        const after = (await another.read(keyring))!
        expect(after.keys.find((row) => row.keyId === keyId)!.state).toBe(to)
        expect(after.head).toEqual({ ...head, activeKeyId, revision: head.revision + 1 })
      }
    })

    async function successorOf(
      keyring: string,
      keyIds: number[],
      from: KeyState,
    ): Promise<number | null> {
      return from === 'active' ? addIn(keyring, keyIds, 'pre-activation') : null
    }
  })
}

/** Steps that bring a new version into a state. */
function pathTo(state: KeyState): readonly (readonly [KeyState, KeyState])[] {
  const suspended = ['pre-activation', 'suspended'] as const
  const paths: Record<KeyState, readonly (readonly [KeyState, KeyState])[]> = {
    'pre-activation': [],
    active: [],
    suspended: [suspended],
    deactivated: [suspended, ['suspended', 'deactivated']],
    compromised: [suspended, ['suspended', 'compromised']],
    destroyed: [['pre-activation', 'destroyed']],
  }
  return paths[state]
}

conformance('memory', () => {
  const store = memoryKeyStore()
  return Promise.resolve({ store, another: store, close: () => Promise.resolve() })
})

for (const provider of await providers()) {
  conformance(provider, async () => {
    const at: Place = await place(provider)
    const store = sqlKeyStore(at.client())
    await store.init()
    // libsql waits for a lock with the whole thread, so in one process a second pool only gets
    // SQLITE_BUSY. Two processes race in lifecycle.test.ts.
    const another = provider === 'sqlite' ? store : sqlKeyStore(at.client())
    return { store, another, close: () => at.drop() }
  })
}
