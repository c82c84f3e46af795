import { incompleteIndex, phaseOf } from '@rowseal/prisma-extension/keys'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reindex, resumeKey, rotateIndex, type ReindexEvent } from '../src/index.ts'
import { account, ACCOUNTS, columns, expectedColumns } from './accounts.ts'
import { closeWorlds, PROVIDERS, world, type World } from './world.ts'

afterAll(closeWorlds)

const LOGIN = 'Account.loginIndex'
/** Not unique, so it needs no phases. */
const NAMES = `
model Label {
  id        Int     @id
  /// @encrypted
  name      String
  /// @blindIndex(name)
  nameIndex String?
  @@index([nameIndex])
}
`

/** Where the former owner of a reindex is frozen: what it has decided on is in its hand. */
const POINTS = ['before it reads the key store', 'before it writes to the key store'] as const
type Point = (typeof POINTS)[number]

interface Frozen {
  /** What it is about to write. */
  readonly isMeant: (write: any) => boolean
  /** Which read of the index keys is the last before that, after a pass that was clean. */
  readonly read: number
}

/** Stops a reindex ahead of what it tells the key store. Gives what lets it go on, to its error or its report. */
async function freeze(w: World, point: Point, frozen: Frozen): Promise<() => Promise<any>> {
  let goOn = (): void => undefined
  let isFrozen = (): void => undefined
  let reads = Infinity
  const stop = async (isHere: boolean): Promise<void> => {
    if (!isHere) return
    isFrozen()
    await new Promise<void>((done) => (goOn = done))
  }
  const real = sqlKeyStore(w.plain)
  let isMet = false
  const store = new Proxy(real, {
    get: (target: any, name) => {
      if (name === 'read')
        return async (keyring: string, ...more: unknown[]) => {
          const isHere = keyring.endsWith('/index') && --reads === 0 && point === POINTS[0]
          await stop(isHere)
          return target.read(keyring, ...more)
        }
      if (name === 'write')
        return async (change: any) => {
          const isIndexes = change.keyring.endsWith('/index')
          const isHere = !isMet && isIndexes && point === POINTS[1] && frozen.isMeant(change)
          isMet ||= isHere
          await stop(isHere)
          return target.write(change)
        }
      return typeof target[name] === 'function' ? target[name].bind(target) : target[name]
    },
  })
  const config = await w.another({ store })
  const onEvent = (event: ReindexEvent): void => {
    const isClean = event.type === 'pass' && event.rows === 0 && event.superseded === 0
    if (isClean) reads = frozen.read
  }
  let owner: Promise<any> = Promise.resolve()
  await new Promise<void>((done) => {
    isFrozen = done
    owner = reindex(config, { now: true, onEvent }).catch((error: unknown) => error)
    void owner.then(done)
  })
  await w.run('UPDATE rowseal_parts SET heartbeat_at_ms = 0')
  return () => {
    goOn()
    return owner
  }
}

const activeKey = ({ keyring }: World): number =>
  keyring.index.keys().find(({ state }) => state === 'active')!.keyId
const record = (w: World, id: string): any => w.keyring.index.records().find((one) => one.id === id)

/** Until an index has come to a phase. */
async function reindexUntil(w: World, phase: string): Promise<void> {
  const stop = new AbortController()
  await reindex(w.config, {
    now: true,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'phase' && event.phase === phase) stop.abort()
    },
  })
}

describe.each(PROVIDERS)('the former owner of a reindex, frozen on %s', (provider) => {
  let w: World
  let labels: World
  beforeAll(async () => {
    w = await world(provider, ACCOUNTS)
    await w.sealed.account.createMany({ data: Array.from({ length: 9 }, (_, i) => account(i)) })
    labels = await world(provider, NAMES)
    await labels.sealed.label.createMany({
      data: [1, 2, 3].map((id) => ({ id, name: `name ${id}` })),
    })
  })

  it.each(POINTS)('moves no index that is in another rotation when it wakes: %s', async (point) => {
    await rotateIndex(w.config, { now: true })
    await reindexUntil(w, 'both-1')
    const wake = await freeze(w, point, {
      isMeant: ({ head }) => {
        const index = head.indexes.find(({ id }: any) => id === LOGIN)
        return phaseOf(index) === 'both-2'
      },
      read: 3,
    })
    for (let turn = 0; turn < 2; turn++) {
      expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done' })
      await rotateIndex(w.config, { now: true })
    }
    await reindexUntil(w, 'both-1')
    await w.keyring.index.refresh()
    const before = record(w, LOGIN)
    expect(phaseOf(before)).toBe('both-1')

    expect(await wake()).toMatchObject({ code: 'ERR_RUN_STATE' })

    await w.keyring.index.refresh()
    expect(record(w, LOGIN)).toEqual(before)
    expect(await w.sealed.account.findUnique({ where: { login: 'user7' } })).toMatchObject({
      id: 7,
    })
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done' })
    // So that the next one begins where this one did.
    await rotateIndex(w.config, { now: true })
    expect(await reindex(w.config, { now: true })).toMatchObject({ outcome: 'done' })
    expect(await columns(w)).toEqual(await expectedColumns(w, [activeKey(w), null]))
  })

  it.each(POINTS)('calls no index complete that lacks values when it wakes: %s', async (point) => {
    const id = 'Label.nameIndex'
    await incompleteIndex(labels.keyring, id)
    const wake = await freeze(labels, point, {
      isMeant: ({ head }) => head.indexes.find((one: any) => one.id === id).complete,
      read: 2,
    })
    expect(await reindex(labels.config, { now: true })).toMatchObject({ outcome: 'done' })
    await incompleteIndex(labels.keyring, id)
    await labels.plain.label.update({ where: { id: 2 }, data: { nameIndex: null } })

    expect(await wake()).toMatchObject({ code: 'ERR_RUN_STATE' })

    await labels.keyring.index.refresh()
    expect(record(labels, id).complete).toBe(false)
    expect(await reindex(labels.config, { now: true })).toMatchObject({ outcome: 'done', rows: 1 })
  })

  it.each(POINTS)('retires no index key that was active since it looked: %s', async (point) => {
    const { keyring, config, sealed } = labels
    const before = activeKey(labels)
    await rotateIndex(config, { now: true })
    await keyring.index.refresh()
    const after = activeKey(labels)
    const wake = await freeze(labels, point, {
      isMeant: ({ rows }) => rows.some(({ row }: any) => row.state === 'deactivated'),
      read: 4,
    })
    await resumeKey(config, before)
    await sealed.label.update({ where: { id: 2 }, data: { name: `rolled back ${before}` } })
    await resumeKey(config, after)

    expect(await wake()).toMatchObject({ outcome: 'done', retired: [] })

    await keyring.index.refresh()
    const where = { name: `rolled back ${before}` }
    expect(await sealed.label.findMany({ where })).toMatchObject([{ id: 2 }])
    expect(await reindex(config, { now: true })).toMatchObject({
      outcome: 'done',
      rows: 1,
      retired: [{ keyId: before }],
    })
  })
})
