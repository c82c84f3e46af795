import { openKeyring, type Keyring } from '@rowseal/prisma-extension'
import { MAX_USES } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { afterEach, describe, expect, it } from 'vitest'
import { rotate, rotateIndex, type MigratorConfig, type WaitEvent } from '../src/index.ts'
import { FOLLOW } from './accounts.ts'
import { MEMBERS } from './indexed.ts'
import { closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

afterEach(closeWorlds)

const members = (provider: Provider): Promise<World> =>
  world(provider, MEMBERS, { keyring: FOLLOW })

const states = (w: World): string[] => w.keyring.keys().map(({ state }) => state)

/** Two as other processes would have them; on libsql, which works synchronously, over one client. */
async function two(w: World): Promise<MigratorConfig[]> {
  if (w.provider !== 'sqlite') return [await w.another(), await w.another()]
  const open = (): Promise<Keyring> =>
    openKeyring({
      root: localRootKey({ key: w.rootKey }),
      store: sqlKeyStore(w.plain),
      ...FOLLOW,
    })
  return [
    { ...w.config, keyring: await open() },
    { ...w.config, keyring: await open() },
  ]
}

/** As if so many records had been written. Uses are not authenticated. */
const use = (w: World, uses: number): Promise<void> =>
  w.run(`UPDATE rowseal_keys SET uses = ${uses} WHERE state = 'active' AND keyring = 'default'`)

describe.each(PROVIDERS)('rotation on %s', (provider) => {
  it('stores the new version, waits until every instance has read it, and then seals under it', async () => {
    const w = await members(provider)
    const waits: WaitEvent[] = []
    const during: string[][] = []
    const onEvent = (event: WaitEvent): void => {
      waits.push(event)
      during.push(states(w))
    }
    expect(await rotate(w.config, { onEvent })).toMatchObject({
      outcome: 'done',
      from: { keyId: 1 },
      to: { version: 2 },
      isOurs: true,
    })
    expect(waits).toMatchObject([{ type: 'wait', reason: expect.stringContaining('has read key') }])
    expect(during).toEqual([['active', 'pre-activation']])
    expect(states(w)).toEqual(['suspended', 'active'])
  })

  it('that is stopped while it waits goes on with the same key', async () => {
    const w = await members(provider)
    const stop = new AbortController()
    const stopped = await rotate(w.config, { signal: stop.signal, onEvent: () => stop.abort() })
    expect(stopped).toMatchObject({ outcome: 'stopped', from: { version: 1 }, to: { version: 2 } })
    expect(states(w)).toEqual(['active', 'pre-activation'])
    const done = await rotate(w.config, { now: true })
    expect(done).toMatchObject({ outcome: 'done', to: stopped.to, isOurs: true })
    expect(states(w)).toEqual(['suspended', 'active'])
  })

  it('is done once by two schedulers, a hundred times', async () => {
    const w = await members(provider)
    const schedulers = await two(w)
    for (let run = 0; run < 100; run++) {
      await use(w, MAX_USES / 2)
      const options = { ifDue: true, now: true }
      const reports = await Promise.all(schedulers.map((config) => rotate(config, options)))
      expect(reports.filter(({ isOurs, outcome }) => isOurs && outcome === 'done')).toHaveLength(1)
      await w.keyring.refresh()
      expect(w.keyring.keys()).toHaveLength(run + 2)
    }
    expect(new Set(states(w))).toEqual(new Set(['suspended', 'active']))
  })

  it('of two operators at once is one, or one after the other', async () => {
    const w = await members(provider)
    const operators = await two(w)
    const reports = await Promise.all(operators.map((config) => rotate(config)))
    const ours = reports.filter(({ isOurs }) => isOurs).length
    await w.keyring.refresh()
    expect(w.keyring.keys()).toHaveLength(1 + ours)
    expect(reports[0]!.to).toEqual(reports[1]!.to)
  })

  it('if due is done for uses and a rotation that was cut off, and not otherwise', async () => {
    const w = await members(provider)
    const ifDue = { ifDue: true, now: true }
    expect(await rotate(w.config, ifDue)).toMatchObject({
      outcome: 'not-due',
      from: { version: 1 },
      to: { version: 1 },
    })
    await use(w, MAX_USES / 2 - 1)
    expect(await rotate(w.config, ifDue)).toMatchObject({ outcome: 'not-due' })
    await use(w, MAX_USES / 2)
    expect((await rotate(w.config, ifDue)).due).toMatchObject([{ code: 'uses' }])
    const stop = new AbortController()
    await rotate(w.config, { signal: stop.signal, onEvent: () => stop.abort() })
    expect((await rotate(w.config, ifDue)).due).toMatchObject([{ code: 'waiting' }])
    expect(states(w)).toEqual(['suspended', 'suspended', 'active'])
    expect(await rotateIndex(w.config, ifDue)).toMatchObject({ outcome: 'not-due' })
  })
})

it('takes cryptoperiods of a day to ten years', async () => {
  const w = await members(PROVIDERS[0]!)
  for (const cryptoperiodDays of [0, 1.5, 3651])
    await expect(rotate(w.config, { ifDue: true, cryptoperiodDays })).rejects.toThrow(
      /cryptoperiodDays must be/,
    )
})
