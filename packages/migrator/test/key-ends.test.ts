import { scheduleDestruction } from '@rowseal/prisma-extension/keys'
import { afterEach, describe, expect, it } from 'vitest'
import {
  applyFence,
  cancelDestroy,
  compromiseKey,
  destroyKey,
  forgetField,
  reindex,
  removeFence,
  resumeKey,
  retireKey,
  rotate,
  rotateIndex,
  status,
  suspendKey,
  type Destruction,
  type MigrationError,
  type WaitEvent,
} from '../src/index.ts'
import { ACCOUNTS, FOLLOW } from './accounts.ts'
import { activeIndexKey, addMembers, MEMBERS } from './indexed.ts'
import { drain, closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

afterEach(closeWorlds)

async function members(provider: Provider, count = 20): Promise<World> {
  const w = await world(provider, MEMBERS, { keyring: FOLLOW })
  await addMembers(w, count)
  return w
}

const now = { now: true }
const PAST = new Date(Date.now() - 1000)

const stateOf = ({ keyring }: World, keyId: number): string | undefined =>
  [...keyring.keys(), ...keyring.index.keys()].find((row) => row.keyId === keyId)?.state

/** Its first key version, with nothing under it any more. */
async function drained(w: World): Promise<number> {
  const { from } = await rotate(w.config, now)
  await drain(w.config)
  return from.keyId
}

async function refusal(call: Promise<unknown>): Promise<MigrationError> {
  return call.then(
    () => Promise.reject(new Error('was not refused')),
    (error: unknown) => error as MigrationError,
  )
}

describe.each(PROVIDERS)('the end of key versions on %s', (provider) => {
  it('a version that values name is not retired, and the count per field is told', async () => {
    const w = await members(provider)
    const { from } = await rotate(w.config, now)
    const error = await refusal(retireKey(w.config, from.keyId, now))
    expect(error).toMatchObject({
      code: 'ERR_KEY_IN_USE',
      counts: { 'Member.email': 18, 'Member.phone': 18 },
    })
    expect(error.message).toContain('Member.email: 18')
    expect(stateOf(w, from.keyId)).toBe('suspended')
  })

  it('a drained one is retired once no instance seals under it, and the database refuses it then', async () => {
    const w = await members(provider)
    const keyId = await drained(w)
    const waits: WaitEvent[] = []
    const report = await retireKey(w.config, keyId, {
      fence: true,
      maxTransactionMs: 1000,
      onEvent: (event) => waits.push(event),
    })
    expect(waits).toMatchObject([{ type: 'wait' }])
    expect(report).toMatchObject({
      outcome: 'done',
      key: { keyId, state: 'deactivated' },
      proof: { isProven: true, unfenced: [] },
    })
    expect(report.columns.map(({ field, rows }) => [field, rows])).toEqual([
      ['email', 0],
      ['phone', 0],
    ])
    await expect(
      w.run(`UPDATE "group" SET email = 'rs1.${keyId.toString(16).padStart(8, '0')}.AAAA'`),
    ).rejects.toThrow()
  })

  it('a column that left the plan is looked through until it is gone and forgotten', async () => {
    const w = await members(provider)
    const { from } = await rotate(w.config, now)
    const { keyId } = from
    // The next release has no phone, and its migration has not run yet.
    const schema = MEMBERS.split('\n').filter((line) => !/phone|digits|plaintext/.test(line))
    const next = await world(provider, schema.join('\n'), { init: false, on: w, keyring: FOLLOW })
    await drain(next.config)
    const error = await refusal(retireKey(next.config, keyId, now))
    expect(error).toMatchObject({ code: 'ERR_KEY_IN_USE', counts: { 'Member.phone': 18 } })
    await expect(forgetField(next.config, 'Member.phone')).rejects.toMatchObject({
      code: 'ERR_KEY_IN_USE',
    })

    await w.run(`DROP INDEX "group_phoneIndex_idx"${provider === 'mysql' ? ' ON "group"' : ''}`)
    for (const column of ['phone', 'phoneIndex'])
      await w.run(`ALTER TABLE "group" DROP COLUMN "${column}"`)
    await expect(retireKey(next.config, keyId, now)).rejects.toMatchObject({
      code: 'ERR_FIELD_MISSING',
    })
    expect(await forgetField(next.config, 'Member.phone')).toMatchObject({
      columns: [{ table: 'group', column: 'phone' }],
      indexes: [],
    })
    await retireKey(next.config, keyId, now)
    expect(stateOf(next, keyId)).toBe('deactivated')
    const [row] = await w.query(`SELECT dropped_by FROM rowseal_fields WHERE field = 'phone'`)
    expect(row.dropped_by).toContain('@')
    // Its blind index goes too, with its record.
    await next.keyring.index.refresh()
    expect(next.keyring.index.records().map(({ id }) => id)).toContain('Member.phoneIndex')
    expect(await forgetField(next.config, 'Member.phoneIndex')).toMatchObject({
      indexes: ['Member.phoneIndex'],
    })
    expect(next.keyring.index.records().map(({ id }) => id)).toEqual(['Member.emailIndex'])
    await expect(forgetField(next.config, 'Member.email')).rejects.toThrow(/is in the plan/)
    await expect(forgetField(next.config, 'Member.other')).rejects.toThrow(/is not registered/)
  })

  it('a column that was renamed is forgotten by the name of its field, which stays', async () => {
    const w = await members(provider)
    const keyId = await drained(w)
    await w.run('ALTER TABLE "group" RENAME COLUMN "phone" TO "telephone"')
    const schema = MEMBERS.replace(/phone +String\?/, '$& @map("telephone")')
    const next = await world(provider, schema, { init: false, on: w, keyring: FOLLOW })
    const error = await refusal(retireKey(next.config, keyId, now))
    expect(error).toMatchObject({ code: 'ERR_FIELD_MISSING' })
    expect(error.message).toContain('npx rowseal keys forget Member.phone`')
    expect(await forgetField(next.config, 'Member.phone')).toEqual({
      field: 'Member.phone',
      columns: [{ table: 'group', column: 'phone' }],
      indexes: [],
    })
    const { columns } = await retireKey(next.config, keyId, now)
    expect(columns.map(({ column }) => column)).toEqual(['email', 'telephone'])
    await expect(forgetField(next.config, 'Member.phone')).rejects.toThrow(/is in the plan/)
  })

  it('an index key is retired and destroyed as others are', async () => {
    const w = await members(provider)
    await reindex(w.config, now)
    const keyId = activeIndexKey(w)
    await rotateIndex(w.config, now)
    expect(await refusal(retireKey(w.config, keyId, now))).toMatchObject({
      code: 'ERR_KEY_IN_USE',
      counts: { 'Member.emailIndex': 18, 'Member.phoneIndex': 18 },
    })
    await reindex(w.config, now) // which retires it, since every index is in sight
    expect(stateOf(w, keyId)).toBe('deactivated')
    const report = await destroyKey(w.config, keyId)
    expect(report).toMatchObject({ outcome: 'scheduled', key: { keyring: 'default/index' } })
    expect(report.columns.map(({ kind }) => kind)).toEqual(['index', 'index'])
  })

  it('a unique index keeps the key that it is under, until it is rotated', async () => {
    const w = await world(provider, ACCOUNTS, { keyring: FOLLOW })
    const keyId = activeIndexKey(w)
    await rotateIndex(w.config, now)
    const task = async (): Promise<unknown> =>
      (await status(w.config)).keys.find((key) => key.keyId === keyId)?.tasks
    // Though the table has no rows.
    const text = expect.stringMatching(/^unique indexes are under it: Account\.\w+, Account\.\w+$/)
    expect(await task()).toEqual([{ code: 'pinned', text, command: 'npx rowseal reindex' }])
    await expect(retireKey(w.config, keyId, now)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      message: expect.stringMatching(/^Index Account\.\w+ is still written under key \d+\./),
      fix: '`npx rowseal reindex` brings it under the active one.',
    })
    await reindex(w.config, now)
    expect(stateOf(w, keyId)).toBe('deactivated')
    expect(await task()).toEqual([])
  })

  it('a version is destroyed in two steps, and comes back in between', async () => {
    const w = await members(provider)
    const keyId = await drained(w)
    await expect(destroyKey(w.config, keyId)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await retireKey(w.config, keyId, now)
    const asked: Destruction[] = []
    const confirm = (yes: boolean) => (destruction: Destruction) => {
      asked.push(destruction)
      return Promise.resolve(yes)
    }
    expect(await destroyKey(w.config, keyId, { confirm: confirm(false) })).toMatchObject({
      outcome: 'declined',
      destroyAt: null,
    })
    expect(
      await destroyKey(w.config, keyId, { waitDays: 7, confirm: confirm(true) }),
    ).toMatchObject({
      outcome: 'scheduled',
      proof: { isProven: false, unfenced: ['Member.email', 'Member.phone'] },
    })
    const row = w.keyring.keys().find((key) => key.keyId === keyId)!
    expect(asked[1]).toMatchObject({
      step: 'schedule',
      backups: { from: row.activatedAt!.toISOString(), to: row.stateAt.toISOString() },
    })
    expect(await destroyKey(w.config, keyId)).toMatchObject({ outcome: 'waiting' })
    expect(await cancelDestroy(w.config, keyId)).toMatchObject({ state: 'deactivated' })

    await w.keyring.refresh()
    await scheduleDestruction(w.keyring, keyId, PAST)
    expect(await destroyKey(w.config, keyId, { confirm: confirm(true) })).toMatchObject({
      outcome: 'destroyed',
      key: { state: 'destroyed' },
      destroyAt: null,
    })
    expect(asked[2]).toMatchObject({ step: 'delete' })
    const [stored] = await w.query(
      `SELECT length(wrapped_kek) AS bytes FROM rowseal_keys WHERE key_id = ${keyId}`,
    )
    expect(Number(stored.bytes)).toBe(0)
  })

  it('a value that came back meanwhile keeps the KEK from being deleted', async () => {
    const w = await members(provider)
    const [backup] = await w.query(`SELECT email FROM "group" WHERE id = 1`)
    const keyId = await drained(w)
    await retireKey(w.config, keyId, now)
    await scheduleDestruction(w.keyring, keyId, PAST)
    await w.run(`UPDATE "group" SET email = '${backup.email}' WHERE id = 1`)
    const error = await refusal(destroyKey(w.config, keyId))
    expect(error).toMatchObject({ code: 'ERR_KEY_IN_USE', counts: { 'Member.email': 1 } })
    expect(error.fix).toContain('--cancel')
    expect(stateOf(w, keyId)).toBe('deactivated')
    await cancelDestroy(w.config, keyId)
    await w.sealed.member.findMany()
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 1 })
    await scheduleDestruction(w.keyring, keyId, PAST)
    expect(await destroyKey(w.config, keyId)).toMatchObject({ outcome: 'destroyed' })
  })

  it('a leaked version goes without being retired, and its values come first', async () => {
    const w = await members(provider)
    const report = await compromiseKey(w.config, 1)
    expect(report.keys.map(({ state }) => state)).toEqual(['compromised', 'active'])
    await expect(destroyKey(w.config, 1)).rejects.toMatchObject({ code: 'ERR_KEY_IN_USE' })
    await drain(w.config)
    expect(await destroyKey(w.config, 1, { waitDays: 7 })).toMatchObject({ outcome: 'scheduled' })
    expect(await w.sealed.member.count({ where: { email: { not: null } } })).toBe(18)
  })

  it('a rotation is taken back, and an active version is set aside', async () => {
    const w = await members(provider)
    const { from, to } = await rotate(w.config, now)
    await resumeKey(w.config, from.keyId)
    expect([stateOf(w, from.keyId), stateOf(w, to.keyId)]).toEqual(['active', 'suspended'])
    await suspendKey(w.config, from.keyId, { successor: to.keyId })
    expect([stateOf(w, from.keyId), stateOf(w, to.keyId)]).toEqual(['suspended', 'active'])
    await expect(suspendKey(w.config, from.keyId)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect(resumeKey(w.config, 999)).rejects.toMatchObject({ code: 'ERR_KEY_UNKNOWN' })
  })

  it('a version that the database refuses is not made active before its fences are down', async () => {
    const w = await members(provider)
    const keyId = await drained(w)
    const to = w.keyring.activeKeyId!
    await applyFence(w.config, keyId)
    const refused = {
      code: 'ERR_KEY_STATE',
      fix: expect.stringContaining(`npx rowseal ddl fence ${keyId} --drop`),
    }
    await expect(resumeKey(w.config, keyId)).rejects.toMatchObject(refused)
    await expect(suspendKey(w.config, to, { successor: keyId })).rejects.toMatchObject(refused)
    expect([stateOf(w, keyId), stateOf(w, to)]).toEqual(['suspended', 'active'])
    await removeFence(w.config, keyId)
    await resumeKey(w.config, keyId)
    await addMembers(w, 1, 100)
  })
})

it('takes waiting periods of a week to thirty days', async () => {
  const w = await members(PROVIDERS[0]!, 1)
  for (const waitDays of [6, 31, 7.5])
    await expect(destroyKey(w.config, 1, { waitDays })).rejects.toThrow(/waitDays must be/)
})
