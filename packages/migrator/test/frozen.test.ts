import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { applyFence, fenceStatus, status } from '../src/index.ts'
import { cuttableWay, Instance, MAX_AGE_MS } from './frozen.ts'
import { drain, clinic, closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

let instance: Instance
afterEach(async () => {
  await instance.end()
  await closeWorlds()
})

async function open(provider: Provider): Promise<World> {
  const w = await world(provider, clinic(provider))
  await w.sealed.staff.create({ data: { id: 0, name: 'n', pin: 'pin 0' } })
  return w
}

/** The application goes on without the frozen process. */
async function replaceKey(w: World): Promise<void> {
  await w.rotate()
  await drain(w.config)
  expect((await applyFence(w.config, 1)).isProven).toBe(true)
}

const keyOf = async ({ plain }: World, id: number): Promise<number | null> => {
  const row = await plain.staff.findUnique({ where: { id } })
  return row === null ? null : parseInt(row.pin.slice(4, 12), 16)
}

describe.each(PROVIDERS)(
  'a process that was frozen while its key was replaced, on %s',
  (provider) => {
    it('before it sealed: reads the key store first, and seals under the new key', async () => {
      const w = await open(provider)
      instance = await Instance.start(w)
      expect(await instance.run({ kind: 'create', id: 1 })).toEqual({ code: null })
      expect(await keyOf(w, 1)).toBe(1)
      await instance.freeze()
      instance.leave({ kind: 'create', id: 2 })
      await replaceKey(w)
      await sleep(MAX_AGE_MS)
      expect(await instance.wake()).toEqual({ code: null })
      expect(await keyOf(w, 2)).toBe(2)
      expect((await fenceStatus(w.config, 1)).isProven).toBe(true)
    })

    it.each(['freeze before sending', 'freeze before sending in a transaction'] as const)(
      'after it sealed (%s): is refused by the database, and seals anew',
      async (kind) => {
        const w = await open(provider)
        instance = await Instance.start(w)
        await instance.run({ kind, id: 1 })
        await replaceKey(w)
        expect(await instance.wake()).toMatchObject({
          code: 'ERR_KEY_STATE',
          field: 'Staff.pin',
          message: expect.stringContaining('the database refuses what is under key 1'),
        })
        expect(await keyOf(w, 1)).toBeNull()
        expect((await fenceStatus(w.config, 1)).isProven).toBe(true)
        await sleep(MAX_AGE_MS)
        expect(await instance.run({ kind: 'create', id: 1 })).toEqual({ code: null })
        expect(await keyOf(w, 1)).toBe(2)
      },
    )
  },
)

const SERVERS = PROVIDERS.filter((provider) => provider !== 'sqlite')

describe.each(SERVERS)('a process that was frozen, on %s', (provider) => {
  it('before it sealed, and finds no key store: refuses', async () => {
    const w = await open(provider)
    const url = new URL(w.db.url)
    if (provider === 'mysql') url.searchParams.set('acquireTimeout', '500')
    const way = await cuttableWay(url.href)
    instance = await Instance.start(w, way.url)
    expect(await instance.run({ kind: 'create', id: 1 })).toEqual({ code: null })
    await instance.freeze()
    instance.leave({ kind: 'create', id: 2 })
    await way.cut()
    await replaceKey(w)
    await sleep(MAX_AGE_MS)
    expect(await instance.wake()).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect(await keyOf(w, 2)).toBeNull()
  })

  it('before it committed: holds the fence up, and what it commits is found', async () => {
    const w = await open(provider)
    instance = await Instance.start(w)
    await instance.run({ kind: 'freeze before commit', id: 1 })
    await w.rotate()
    // Nothing that the drain could see is stale.
    await drain(w.config)
    const options = { lockTimeoutMs: 1000, maxWaitMs: 0 }
    await expect(applyFence(w.config, 1, options)).rejects.toMatchObject({
      code: 'ERR_DATABASE_FAILED',
      retryable: true,
    })
    expect(await instance.wake()).toEqual({ code: null })
    expect(await keyOf(w, 1)).toBe(1)
    await expect(applyFence(w.config, 1)).rejects.toMatchObject({ code: 'ERR_KEY_IN_USE' })
    await drain(w.config)
    expect((await applyFence(w.config, 1)).isProven).toBe(true)
    expect((await status(w.config)).stale).toBe(0)
  })
})
