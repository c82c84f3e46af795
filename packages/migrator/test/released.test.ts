import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { listQuarantine, reindex, rotateIndex, verify } from '../src/index.ts'
import { RunStore } from '../src/runs/store.ts'
import { addMembers, MEMBERS, stored } from './indexed.ts'
import { closeWorlds, drain, PROVIDERS, world, type World } from './world.ts'

afterAll(closeWorlds)

const NOW = { now: true }

const entries = async ({ config }: World): Promise<string[]> =>
  (await listQuarantine(config)).entries.map(
    ({ key, field, code, direction }) => `${key.join()} ${field} ${code} ${direction}`,
  )

describe.each(PROVIDERS)('an entry of the quarantine on %s', (provider) => {
  let w: World | undefined
  const set = (id: number, data: object): Promise<any> =>
    w!.plain.member.update({ where: { id }, data })
  const write = (id: number, data: object): Promise<any> =>
    w!.sealed.member.update({ where: { id }, data })
  /** So that it does not open. @returns what it was. */
  const spoil = async (id: number): Promise<string> => {
    const { email } = await w!.plain.member.findUnique({ where: { id } })
    await set(id, { email: `${email.slice(0, -4)}${email.endsWith('AAAA') ? 'BBBB' : 'AAAA'}` })
    return email
  }
  const swapIndex = async (id: number): Promise<void> => {
    const [first] = await stored(w!)
    await set(id, { emailIndex: first.emailIndex })
  }
  const recorded = (field: string, id: number, code: string, by: string): Promise<void> => {
    const entry = { model: 'Member', field, key: [String(id)], code }
    const { quarantine } = new RunStore(w!.plain, provider)
    return w!.plain.$transaction((tx: any) => quarantine.record(tx, [entry], by))
  }
  beforeEach(async () => {
    w ??= await world(provider, MEMBERS)
    await w.run('DELETE FROM "group"', 'DELETE FROM rowseal_quarantine')
    await addMembers(w, 9)
  })

  it('of a sealed field goes once reindex has found the value mended', async () => {
    const was = await spoil(3)
    await spoil(4)
    await spoil(5)
    await rotateIndex(w!.config, NOW)
    expect(await reindex(w!.config, NOW)).toMatchObject({ outcome: 'incomplete', quarantined: 3 })
    const bad = [3, 4, 5].map((id) => `${id} email ERR_ENVELOPE_AUTH reindex`)
    expect(await entries(w!)).toEqual(bad)

    await set(3, { email: was })
    await write(4, { email: 'mended' })
    expect(await reindex(w!.config, NOW)).toMatchObject({ outcome: 'incomplete', quarantined: 1 })
    expect(await entries(w!)).toEqual(bad.slice(2))
    await w!.plain.member.delete({ where: { id: 5 } })
    expect(await reindex(w!.config, NOW)).toMatchObject({ outcome: 'done' })
    expect(await entries(w!)).toEqual([])
  })

  it('of a blind index stays until its value is right, or its record is gone', async () => {
    for (const id of [3, 4, 5]) await swapIndex(id)
    await set(6, { emailIndex: null })
    await verify(w!.config)
    const mismatch = (id: number): string => `${id} emailIndex ERR_INDEX_MISMATCH verify`
    const wrong = [3, 4, 5].map(mismatch)
    expect(await entries(w!)).toEqual([...wrong, '6 emailIndex ERR_INDEX_MISSING verify'])

    const stop = new AbortController()
    const onEvent = ({ type }: { type: string }): void => {
      if (type === 'batch') stop.abort()
    }
    await reindex(w!.config, { ...NOW, signal: stop.signal, onEvent })
    expect(await entries(w!)).toHaveLength(4)
    await write(4, { email: 'written anew' })
    await w!.plain.member.delete({ where: { id: 5 } })
    // It looks at key ids only.
    expect(await reindex(w!.config, NOW)).toMatchObject({ outcome: 'done', quarantined: 0 })
    expect(await entries(w!)).toEqual([mismatch(3)])
    await reindex(w!.config, { ...NOW, checkValues: true })
    expect(await entries(w!)).toEqual([])
  })

  it('goes once a drain has re-encrypted the value, and not because it is not stale', async () => {
    const was = [await spoil(3), await spoil(4)]
    await verify(w!.config)
    expect(await entries(w!)).toEqual([3, 4].map((id) => `${id} email ERR_ENVELOPE_AUTH verify`))
    await set(3, { email: was[0] })
    await w!.rotate()
    expect(await drain(w!.config)).toMatchObject({ outcome: 'incomplete', quarantined: 1 })
    const left = ['4 email ERR_ENVELOPE_AUTH drain']
    expect(await entries(w!)).toEqual(left)
    await write(4, { email: 'fresh' })
    await spoil(4)
    expect(await drain(w!.config)).toMatchObject({ outcome: 'done' })
    expect(await entries(w!)).toEqual(left)
    await write(4, { email: 'fresh' })
    expect(await drain(w!.config)).toMatchObject({ outcome: 'done' })
    expect(await entries(w!)).toEqual([])
  })

  it('of what the database has refused stays for who recorded it', async () => {
    await recorded('email', 3, 'ERR_CHECK_VIOLATION', 'drain')
    await recorded('email', 4, 'ERR_CHECK_VIOLATION', 'encrypt')
    await recorded('email', 99, 'ERR_CHECK_VIOLATION', 'encrypt')
    const [own, other] = await entries(w!)
    await reindex(w!.config, { ...NOW, checkValues: true })
    expect(await entries(w!)).toEqual([own, other])
    await w!.rotate()
    await drain(w!.config)
    expect(await entries(w!)).toEqual([other])
  })

  it('of a blind index stays while its field does not open', async () => {
    await swapIndex(3)
    await verify(w!.config)
    await spoil(3)
    const both = ['3 email ERR_ENVELOPE_AUTH verify', '3 emailIndex ERR_INDEX_MISMATCH verify']
    await verify(w!.config)
    expect(await entries(w!)).toEqual(both)
    await reindex(w!.config, NOW)
    expect(await entries(w!)).toEqual(both)
  })
})
