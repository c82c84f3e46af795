import { randomBytes } from 'node:crypto'
import {
  openKeyring,
  openKeyrings,
  rowseal,
  type Keyring,
  type KeyringOptions,
  type Keyrings,
} from '@rowseal/prisma-extension'
import type { KeyStore } from '@rowseal/prisma-extension/keys'
import { parseBytes, parseText, type Envelope } from '@rowseal/prisma-extension/envelope'
import { awsKms } from '@rowseal/prisma-extension/providers/aws-kms'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient, startKms, type KmsServer } from '@rowseal/test-support'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  compromiseKey,
  init,
  listRuns,
  planRewrap,
  resumeKey,
  rewrap as rewrapValues,
  rotate,
  status,
  verify,
  type DrainReport,
  type MigratorConfig,
  type RunDirectionOptions,
} from '../src/index.ts'
import { Command } from './command.ts'
import {
  addPatients,
  clinic,
  closeWorlds,
  drain,
  PROVIDERS,
  readAll,
  world,
  type Provider,
  type World,
} from './world.ts'

const REGION = 'eu-central-1'

let kms: KmsServer
const ends: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  kms = await startKms({ region: REGION })
})
afterEach(async () => {
  kms.recover()
  for (const end of ends.splice(0).reverse()) await end()
  await closeWorlds()
})
afterAll(() => kms.stop())

/** A keyring whose DEKs the KMS wraps, over HTTP. */
function byKms(): Partial<KeyringOptions> {
  const keyId = `alias/${randomBytes(4).toString('hex')}`
  kms.createKey({ alias: keyId })
  const credentials = { accessKeyId: 'tester', secretAccessKey: 'none' }
  const at = { endpoint: kms.url, region: REGION, allowHttp: true, clientConfig: { credentials } }
  return { root: awsKms({ keyId, ...at }), wrapping: 'kms' }
}

const rewrap = (config: MigratorConfig, options: RunDirectionOptions = {}): Promise<DrainReport> =>
  rewrapValues(config, { now: true, ...options })

/** Patients that are stale, and the calls of the KMS forgotten. */
async function staleWorld(provider: Provider, patients: number): Promise<World> {
  const w = await world(provider, clinic(provider), { keyring: byKms() })
  await addPatients(w, patients)
  await w.rotate()
  kms.forget()
  return w
}

/** Every envelope of the patients, in the order of their keys. */
async function envelopes({ plain }: World): Promise<Envelope[]> {
  const rows: object[] = await plain.patient.findMany({
    omit: { clinic: true, number: true, updatedAt: true },
    orderBy: [{ clinic: 'asc' }, { number: 'asc' }],
  })
  const parse = (value: unknown): Envelope[] => {
    if (value === null || value === undefined) return []
    if (Array.isArray(value)) return value.flatMap(parse)
    return [value instanceof Uint8Array ? parseBytes(value)! : parseText(value as string)!]
  }
  return rows.flatMap((row) => Object.values(row).flatMap(parse))
}

const payloadOf = ({ nonce, ciphertext, tag }: Envelope): string =>
  Buffer.concat([nonce, ciphertext, tag]).toString('hex')

const keyIdsOf = (all: readonly Envelope[]): number[] => [...new Set(all.map(({ keyId }) => keyId))]

const dekCalls = (): string[] =>
  kms.calls
    .filter(({ context }) => context?.['rowseal:use'] === 'dek')
    .map(({ operation }) => operation)

describe.each(PROVIDERS)('drain --rewrap on %s', (provider) => {
  it('has the KMS wrap each DEK anew, once, and leaves nonce, ciphertext and tag', async () => {
    const w = await staleWorld(provider, 120)
    const values = await readAll(w)
    const before = await envelopes(w)
    kms.forget()
    const plan = await planRewrap(w.config)
    expect(plan).toMatchObject({ staleRows: 120, models: [{ estimate: { kmsCalls: 120 } }, {}] })
    expect(dekCalls()).toEqual([])
    await w.keyring.refresh()
    expect(w.keyring.keys().map(({ rewrappedFrom }) => rewrappedFrom)).toEqual([[], []])
    expect(await rewrap(w.config, { batchRows: 50 })).toMatchObject({
      direction: 'rewrap',
      outcome: 'done',
      rows: 120,
      quarantined: 0,
      drained: [{ keyId: 1, state: 'suspended' }],
    })
    expect(dekCalls()).toEqual(Array(120).fill('ReEncrypt'))
    const after = await envelopes(w)
    expect([keyIdsOf(before), keyIdsOf(after)]).toEqual([[1], [2]])
    expect(after.map(payloadOf)).toEqual(before.map(payloadOf))
    expect((await status(w.config)).stale).toBe(0)
    w.keyring.forget()
    expect(await readAll(w)).toEqual(values)
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0 })
    expect(await listRuns(w.config)).toContainEqual(
      expect.objectContaining({ model: 'Patient', direction: 'rewrap', state: 'succeeded' }),
    )
  })

  it('goes on where it was stopped, and calls for no DEK twice', async () => {
    const w = await staleWorld(provider, 60)
    const values = await readAll(w)
    kms.forget()
    const stop = new AbortController()
    const stopped = await rewrap(w.config, {
      batchRows: 10,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'batch') stop.abort()
      },
    })
    expect(stopped.outcome).toBe('stopped')
    expect(stopped.rows).toBeLessThan(60)
    expect(await rewrap(w.config)).toMatchObject({ outcome: 'done', rows: 60 - stopped.rows })
    expect(dekCalls()).toEqual(Array(60).fill('ReEncrypt'))
    expect(await readAll(w)).toEqual(values)
  })

  it('never undoes what is written meanwhile', async () => {
    const w = await staleWorld(provider, 30)
    const values = await readAll(w)
    let writing = null as Promise<unknown> | null
    const where = { number: `n'7` }
    await rewrap(w.config, {
      batchRows: 5,
      onEvent: (event) => {
        if (event.type === 'batch')
          writing ??= w.sealed.patient.updateMany({ where, data: { email: 'new@example.org' } })
      },
    })
    await writing
    const now = await readAll(w)
    const expected = values.map((row) => ({
      ...row,
      ...(row.number === where.number && { email: 'new@example.org' }),
      updatedAt: expect.any(Date),
    }))
    expect(now).toEqual(expected)
    expect((await status(w.config)).stale).toBe(0)
  })

  it('puts a value into quarantine whose DEK does not open, and moves all others', async () => {
    const w = await staleWorld(provider, 20)
    const row = await w.plain.patient.findFirst({ where: { number: `n'3` } })
    const bytes = Buffer.from(row.email.slice(13), 'base64url')
    bytes[60]! ^= 1 // within the blob
    const email = `${row.email.slice(0, 13)}${bytes.toString('base64url')}`
    await w.plain.patient.updateMany({ where: { number: `n'3` }, data: { email } })
    expect(await rewrap(w.config)).toMatchObject({ outcome: 'incomplete', quarantined: 1 })
    expect(await w.query('SELECT model, field, code FROM rowseal_quarantine')).toEqual([
      { model: 'Patient', field: 'email', code: 'ERR_ENVELOPE_AUTH' },
    ])
    expect((await status(w.config)).stale).toBe(1)
  })

  it('is refused for a key that leaked, before anything is changed', async () => {
    const w = await staleWorld(provider, 20)
    const values = await readAll(w)
    await compromiseKey(w.config, 1)
    const before = await envelopes(w)
    kms.forget()
    const refused = {
      code: 'ERR_REWRAP_REFUSED',
      field: 'Patient.email',
      fix: expect.stringContaining('npx rowseal drain'),
    }
    await expect(planRewrap(w.config)).rejects.toMatchObject(refused)
    await expect(rewrap(w.config)).rejects.toMatchObject(refused)
    expect(await envelopes(w)).toEqual(before)
    expect(dekCalls()).toEqual([])
    expect(await listRuns(w.config)).toEqual([])
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 20 })
    // What is under the leaked key no more is no reason to refuse.
    expect(await rewrap(w.config)).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await readAll(w)).toEqual(values)
  })

  it('ends when a key leaks while its values are moved, and a drain goes on', async () => {
    const w = await staleWorld(provider, 60)
    const values = await readAll(w)
    const other = await w.another()
    let leaking = null as Promise<unknown> | null
    const events = rewrap(w.config, {
      batchRows: 5,
      onEvent: (event) => {
        if (event.type === 'batch') leaking ??= compromiseKey(other, 1, { now: true })
      },
    })
    await expect(events).rejects.toMatchObject({ code: 'ERR_REWRAP_REFUSED' })
    await leaking
    await w.keyring.refresh()
    expect(await drain(w.config)).toMatchObject({ outcome: 'done' })
    const fresh = (await envelopes(w)).map(payloadOf)
    expect(new Set(fresh).size).toBe(fresh.length)
    expect(await readAll(w)).toEqual(values)
  })

  it('leaves the values of a key that is made active again meanwhile', async () => {
    const w = await staleWorld(provider, 40)
    const values = await readAll(w)
    const other = await w.another()
    let resuming = null as Promise<unknown> | null
    const report = await rewrap(w.config, {
      batchRows: 5,
      onEvent: (event) => {
        if (event.type === 'batch') resuming ??= resumeKey(other, 1)
      },
    })
    await resuming
    expect(report).toMatchObject({ outcome: 'done' })
    expect((await rewrap(w.config)).outcome).toBe('done')
    expect(keyIdsOf(await envelopes(w))).toEqual([1])
    expect(await readAll(w)).toEqual(values)
  })
})

const TWO = `
model Note {
  id   Int    @id
  /// @encrypted
  text String
}
model Log {
  id   Int    @id
  /// @encrypted(keyring: "audit")
  text String
}
`

/** A database with keyrings of its own. */
async function withKeyrings<K>(
  open: (store: KeyStore) => Promise<K>,
): Promise<{ plan: any; client: any; keyring: K }> {
  const db = await database('sqlite')
  const { ddl, plan, PrismaClient } = await generatedClient({ provider: 'sqlite', schema: TWO })
  await db.exec(ddl)
  const client = new PrismaClient({ adapter: db.adapter() })
  ends.push(
    () => db.drop(),
    () => client.$disconnect(),
  )
  return { plan, client, keyring: await open(sqlKeyStore(client)) }
}

/** `Note` under DEKs of the KMS, `Log` under those of a KEK; both stale. */
async function mixed(): Promise<{ client: any; plan: any; keyring: Keyring[] }> {
  const config = await withKeyrings(async (store) => {
    const root = localRootKey({ key: randomBytes(32) })
    const audit = { name: 'audit', wrapping: 'kek' } as const
    return [
      await openKeyring({ store, root, ...byKms() }),
      await openKeyring({ store, root, ...audit }),
    ]
  })
  await init(config)
  const sealed = config.client.$extends(rowseal({ ...config, reencryption: false }))
  for (let id = 0; id < 5; id++) {
    await sealed.note.create({ data: { id, text: `note ${id}` } })
    await sealed.log.create({ data: { id, text: `log ${id}` } })
  }
  for (const keyring of ['default', 'audit']) await rotate(config, { keyring, now: true })
  return config
}

describe('drain --rewrap over keyrings of both kinds', () => {
  it('is refused for all while one has values that the KMS cannot move, and done for the others', async () => {
    const config = await mixed()
    await expect(rewrap(config)).rejects.toMatchObject({
      code: 'ERR_REWRAP_REFUSED',
      field: 'Log.text',
    })
    await expect(rewrap(config, { models: ['Log'] })).rejects.toMatchObject({
      code: 'ERR_REWRAP_REFUSED',
      message: expect.stringContaining('"audit"'),
    })
    expect(await listRuns(config)).toEqual([])
    expect(await rewrap(config, { models: ['Note'] })).toMatchObject({ outcome: 'done', rows: 5 })
    expect(await drain(config)).toMatchObject({ outcome: 'done', rows: 5 })
    expect(await rewrap(config)).toMatchObject({ outcome: 'done', rows: 0 })
  })

  it('moves the values of those tenants whose DEKs the KMS wraps', async () => {
    const root = localRootKey({ key: randomBytes(32) })
    let store: KeyStore
    const open = (wrapping: 'kek' | 'kms'): Keyrings => openKeyrings({ root, store, wrapping })
    const config = await withKeyrings((at) => Promise.resolve(((store = at), open('kek'))))
    const ofKms = { ...config, keyring: open('kms') }
    await init(config, { keyring: 'tenant/a' })
    await init(ofKms, { keyring: 'tenant/b' })
    for (const [id, name] of ['a', 'b', 'a', 'b', 'b'].entries()) {
      const tenant = (): string => name
      const sealed = config.client.$extends(rowseal({ ...ofKms, tenant, reencryption: false }))
      await sealed.note.create({ data: { id, text: `note ${id}` } })
    }
    const keyIds = async (): Promise<string[]> =>
      (await config.client.note.findMany({ orderBy: { id: 'asc' } })).map(({ text }: any) =>
        text.slice(4, 12),
      )
    const before = await keyIds()
    const another = (): MigratorConfig => ({ ...config, keyring: open('kms') })
    await rotate(another(), { keyring: 'tenant/b', now: true })
    expect(await rewrap(another())).toMatchObject({ outcome: 'done', rows: 3 })
    const after = await keyIds()
    expect(after.map((id, i) => id === before[i])).toEqual([true, false, true, false, false])
    expect(await verify(another())).toMatchObject({ outcome: 'done', opened: 5 })
    await rotate(another(), { keyring: 'tenant/a', now: true })
    await expect(rewrap(another())).rejects.toMatchObject({ code: 'ERR_REWRAP_REFUSED' })
    expect(await drain(another())).toMatchObject({ outcome: 'done', rows: 2 })
  })

  it('is refused for values whose DEKs a KEK wraps, and for a keyring that went back to KEKs', async () => {
    const w = await world('sqlite', TWO.slice(0, TWO.indexOf('model Log')))
    const add = (id: number): Promise<unknown> =>
      w.sealed.note.create({ data: { id, text: `note ${id}` } })
    await add(1)
    await w.rotate()
    const refused = { code: 'ERR_REWRAP_REFUSED', message: expect.stringContaining('"default"') }
    await expect(rewrap(w.config)).rejects.toMatchObject(refused)
    const ofKms = await w.another({ wrapping: 'kms' })
    await rotate(ofKms, { now: true })
    await expect(rewrap(ofKms)).rejects.toMatchObject({
      code: 'ERR_REWRAP_REFUSED',
      message: expect.stringContaining('under key 1, which wraps its DEKs itself'),
    })
    expect(await drain(ofKms)).toMatchObject({ outcome: 'done', rows: 1 })
    await w.keyring.refresh()
    await rotate(ofKms, { now: true })
    expect(await rewrap(ofKms)).toMatchObject({ outcome: 'done', rows: 1 })
    await w.rotate()
    await expect(rewrap(await w.another())).rejects.toMatchObject({ code: 'ERR_REWRAP_REFUSED' })
  })
})

describe('rowseal drain --rewrap', () => {
  it('keeps to a cap on calls of the KMS, and says so', async () => {
    const w = await staleWorld('sqlite', 60)
    const reasons: (string | undefined)[] = []
    await rewrap(w.config, {
      maxKmsCallsPerSecond: 40,
      onEvent: (event) => {
        if (event.type === 'throttle') reasons.push(event.wait?.reason)
      },
    })
    expect(reasons).toContain('rate cap of 40 KMS calls per second')
    expect(dekCalls()).toHaveLength(60)
  })

  it('is refused, counts and runs from the command line', async () => {
    const w = await world('sqlite', clinic('sqlite'), { keyring: { wrapping: 'kms' } })
    const command = new Command(w)
    try {
      await addPatients(w, 10)
      await w.rotate()
      const dry = await command.run('drain', '--rewrap', '--dry-run')
      expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining('10 rows') })
      const done = await command.run('drain', '--rewrap', '--now')
      expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('re-wrapped') })
      expect(done.stderr).toContain('Nothing is stale.')
      await compromiseKey(w.config, 2, { now: true })
      const refused = await command.run('drain', '--rewrap', '--now', '--json')
      expect(refused.code).toBe(1)
      expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'ERR_REWRAP_REFUSED' } })
    } finally {
      command.remove()
    }
  })

  it('killed while it moves values and run again moves them all', async () => {
    const w = await world('sqlite', clinic('sqlite'), { keyring: { wrapping: 'kms' } })
    const command = new Command(w)
    try {
      await addPatients(w, 1500)
      await w.rotate()
      const values = await readAll(w)
      const before = (await envelopes(w)).map(payloadOf)
      const { child, ended } = command.startSoon('drain', '--rewrap', '--now', '--batch-rows', '5')
      const isBegun = async (): Promise<boolean> =>
        (await w.query('SELECT 1 FROM rowseal_parts WHERE checkpoint IS NOT NULL')).length > 0
      while (!(await isBegun())) await new Promise((done) => setTimeout(done, 5))
      child.kill('SIGKILL')
      expect((await ended).signal).toBe('SIGKILL')
      const left = (await status(w.config)).stale
      expect(left).toBeGreaterThan(0)
      expect((await command.run('drain', '--rewrap', '--now')).code).toBe(0)
      expect((await envelopes(w)).map(payloadOf)).toEqual(before)
      expect(await readAll(w)).toEqual(values)
    } finally {
      command.remove()
    }
  })
})
