import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import {
  openKeyring,
  openKeyrings,
  rowseal,
  type Keyring,
  type Keyrings,
} from '@rowseal/prisma-extension'
import { scheduleDestruction } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient } from '@rowseal/test-support'
import { afterEach, describe, expect, it } from 'vitest'
import {
  cancelDestroyKeyring,
  compromiseKey,
  destroyKey,
  destroyKeyring,
  init,
  inspect,
  reindex,
  retireKey,
  rotate,
  rotateIndex,
  status,
  verify,
} from '../src/index.ts'
import { renderCancelled } from '../src/cli/render-ends.ts'
import { renderRotate } from '../src/cli/render-rotate.ts'
import { renderDrain } from '../src/cli/render-run.ts'
import { renderInit, renderStatus } from '../src/cli/render.ts'
import { drain, PROVIDERS, type Provider } from './world.ts'

const SCHEMA = `
model Note {
  id         Int     @id
  /// @encrypted
  title      String
  /// @blindIndex(title)
  titleIndex String?
  /// @encrypted
  body       Json?
  /// @encrypted(keyring: "audit")
  author     String?
  @@index([titleIndex])
}
`
const ROWS = 40
const TENANTS = ['a', 'b', 'c', 'd']
const tenantOf = (id: number): string => TENANTS[id % TENANTS.length]!

let end: () => Promise<void>
afterEach(() => end())

interface World {
  readonly config: { client: any; plan: any; keyring: Keyrings }
  readonly keyrings: Keyrings
  readonly root: ReturnType<typeof localRootKey>
  readonly sealed: any
  readonly current: AsyncLocalStorage<string>
}

async function tenants(provider: Provider): Promise<World> {
  const db = await database(provider)
  const generated = await generatedClient({ provider, schema: SCHEMA })
  await db.exec(generated.ddl)
  const client = new generated.PrismaClient({ adapter: db.adapter() })
  end = async () => {
    await client.$disconnect()
    await db.drop()
  }
  const { plan } = generated
  const root = localRootKey({ key: randomBytes(32) })
  const keyrings = openKeyrings({ root, store: sqlKeyStore(client) })
  const config = { client, plan, keyring: keyrings }
  const current = new AsyncLocalStorage<string>()
  for (const tenant of TENANTS) await init(config, { keyring: `tenant/${tenant}` })
  const tenant = (): string | undefined => current.getStore()
  const sealed = client.$extends(rowseal({ plan, keyring: keyrings, tenant, reencryption: false }))
  for (let id = 0; id < ROWS; id++)
    await current.run(tenantOf(id), async () =>
      sealed.note.create({ data: { id, title: `t${id}`, body: { id }, author: `w${id}` } }),
    )
  return { config, keyrings, root, sealed, current }
}

/** Which keyring each row's title is under. */
async function holders({ config, keyrings }: World): Promise<(string | null)[]> {
  const rows: any[] = await config.client.note.findMany({ orderBy: { id: 'asc' } })
  return Promise.all(rows.map((row) => keyrings.ownerOf(parseInt(row.title.slice(4, 12), 16))))
}

describe.each(PROVIDERS)('the migrator with a keyring for each tenant, on %s', (provider) => {
  it('makes keyrings by name, with their indexes', async () => {
    const { config } = await tenants(provider)
    const made = await init(config, { keyring: 'tenant/new' })
    expect(made.keyrings).toMatchObject([
      { keyring: 'audit', isCreated: false },
      { keyring: 'tenant/new', isCreated: true },
    ])
    expect(made.indexes).toEqual([
      { index: 'Note.titleIndex', keyring: 'tenant/new', isCreated: true, isComplete: true },
    ])
    expect((await init(config)).keyrings).toMatchObject([{ keyring: 'audit', isCreated: false }])
  })

  it('moves stale values to the active version of their own tenant, and no others', async () => {
    const w = await tenants(provider)
    const { config, keyrings, sealed, current } = w
    const before = await holders(w)
    const untouched = await config.client.note.findUnique({ where: { id: 2 } })
    await rotate(config, { keyring: 'tenant/a', now: true })
    await rotate(config, { keyring: 'tenant/b', now: true })
    await rotate(config, { keyring: 'audit', now: true })
    expect(await status(config)).toMatchObject({ stale: 2 * 2 * (ROWS / 4) + ROWS })
    const report = await drain(config, { batchRows: 7 })
    expect(report).toMatchObject({ outcome: 'done', rows: ROWS, quarantined: 0 })
    expect(await holders(w)).toEqual(before)
    const after = await status(config)
    expect(after.stale).toBe(0)
    const values = after.keys
      .filter(({ values }) => values > 0)
      .map(({ keyring, version, values }) => [keyring, version, values])
    expect(values.filter(([name]) => !String(name).endsWith('/index')).sort()).toEqual([
      ['audit', 2, ROWS],
      ['tenant/a', 2, 20],
      ['tenant/b', 2, 20],
      ['tenant/c', 1, 20],
      ['tenant/d', 1, 20],
    ])
    const now = await config.client.note.findUnique({ where: { id: 2 } })
    expect([now.title, now.body]).toEqual([untouched.title, untouched.body])
    for (const [i, tenant] of TENANTS.entries()) {
      const found = await current.run(tenant, async () =>
        sealed.note.findMany({ where: { title: `t${i}` } }),
      )
      expect(found).toMatchObject([{ id: i, title: `t${i}`, body: { id: i }, author: `w${i}` }])
    }
    expect(await verify(config)).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })
    expect((await keyrings.get('tenant/a')).staleKeyIds()).toHaveLength(1)
  })

  it("verifies blind indexes with the tenant's own keys", async () => {
    const { config } = await tenants(provider)
    const [of0, of1] = await config.client.note.findMany({ orderBy: { id: 'asc' }, take: 2 })
    await config.client.note.update({ where: { id: 0 }, data: { titleIndex: of1.titleIndex } })
    const report = await verify(config)
    expect(report).toMatchObject({ outcome: 'incomplete', bad: 0, badIndexes: 1 })
    expect(report.samples).toMatchObject([{ key: ['0'], code: 'ERR_INDEX_MISMATCH' }])
    await config.client.note.update({ where: { id: 0 }, data: { titleIndex: of0.titleIndex } })
    expect((await verify(config)).outcome).toBe('done')
  })

  it('opens and seals again for a tenant that is taken back, and says that it is not searched', async () => {
    const { config, sealed, current } = await tenants(provider)
    const keyring = 'tenant/d'
    await destroyKeyring(config, keyring)
    const said = renderCancelled(await cancelDestroyKeyring(config, keyring), keyring)
    for (const command of ['rotate', 'rotate --index', 'init'])
      expect(said).toContain(`npx rowseal ${command} --keyring tenant/d`)
    expect(said).not.toContain('npx rowseal reindex')
    expect(said).toContain('Look-ups by its blind indexes are refused')
    await rotate(config, { keyring, now: true })
    await rotateIndex(config, { keyring, now: true })
    const made = await init(config, { keyring })
    expect(made.indexes).toMatchObject([{ isComplete: false }])
    expect(renderInit(made)).toContain('Nothing makes it complete yet for a tenant.')
    await current.run('d', async () => {
      expect(await sealed.note.findMany({ where: { id: 3 } })).toMatchObject([{ title: 't3' }])
      await sealed.note.create({ data: { id: 100, title: 't3' } })
      await expect(sealed.note.findMany({ where: { title: 't3' } })).rejects.toMatchObject({
        code: 'ERR_QUERY_UNSUPPORTED',
      })
    })
  })

  it('does to one key version what a configuration with the keyring of its tenant alone asks for', async () => {
    const { config, keyrings, root } = await tenants(provider)
    const { from } = await rotate(config, { keyring: 'tenant/a', now: true })
    await drain(config)
    await expect(retireKey(config, from.keyId)).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    })
    const keyring = await openKeyring({ name: 'tenant/a', root, store: keyrings.store })
    const alone = { ...config, keyring }
    expect(await retireKey(alone, from.keyId, { now: true, fence: true })).toMatchObject({
      key: { keyring: 'tenant/a', state: 'deactivated' },
      proof: { isProven: true },
    })
    expect(await destroyKey(alone, from.keyId)).toMatchObject({ outcome: 'scheduled' })
  })

  it('suggests nothing about one key version that is refused, and never the end of a tenant in its place', async () => {
    const { config, keyrings, root } = await tenants(provider)
    const opened = (name: string): Promise<Keyring> =>
      openKeyring({ name, root, store: keyrings.store })
    const alone = async (name: string): Promise<any> => ({ ...config, keyring: await opened(name) })
    const ids: number[] = []
    for (const keyring of ['tenant/a', 'audit'])
      ids.push((await rotate(config, { keyring, now: true })).from.keyId)
    const [ofA, ofAudit] = ids as [number, number]
    const takes = (name: string): string =>
      `it takes a configuration with \`keyring: await openKeyring({ name: '${name}', … })\``
    const drained = renderDrain(await drain(config), true)
    expect(drained).toContain(`key ${ofA} any more. To retire ${takes('tenant/a')}.`)
    expect(drained).toContain(`key ${ofAudit} any more. To retire ${takes('audit')}.`)
    expect(drained).not.toContain('npx')
    const said = async (): Promise<string> => {
      const report = await status(config)
      const text = renderStatus(report)
      expect(report.keys.flatMap(({ tasks }) => tasks)).not.toEqual([])
      for (const wrong of [/keys (retire|destroy) \d/, 'keys destroy --keyring'])
        expect(text).not.toMatch(wrong)
      return text
    }
    expect(await said()).toContain(
      `Key ${ofA}: nothing is under it; to retire ${takes('tenant/a')}.`,
    )
    await compromiseKey(await alone('tenant/a'), ofA)
    expect(await said()).toContain(`and nothing is under it; to destroy ${takes('tenant/a')}.`)
    expect(renderDrain(await drain(config), true)).toContain(
      `which leaked. To destroy ${takes('tenant/a')}.`,
    )
    await destroyKey(await alone('tenant/a'), ofA)
    expect(await said()).toMatch(/opens nothing, and may be deleted after [\d-]+; to keep it takes/)
    const kept = renderCancelled(await cancelDestroyKeyring(config, 'tenant/a'), 'tenant/a')
    expect(kept).toContain('It opens again.')
    for (const wrong of ['seals nothing', 'refused']) expect(kept).not.toContain(wrong)
    await scheduleDestruction(await opened('tenant/a'), ofA, new Date(0))
    expect(await said()).toContain('waiting period is over; to destroy it takes')
    await retireKey(await alone('audit'), ofAudit, { now: true })
  })

  it('says nothing of what is under index keys of tenants, which it does not count', async () => {
    const { config, keyrings } = await tenants(provider)
    const report = await rotateIndex(config, { keyring: 'tenant/b', now: true })
    expect((await keyrings.get('tenant/b')).index.keys()).toHaveLength(2)
    const { keys } = await status(config)
    expect(keys.find(({ keyId }) => keyId === report.from.keyId)).toMatchObject({
      state: 'suspended',
      tasks: [],
    })
    expect(renderRotate(report, true)).toContain('Nothing moves those of a tenant yet.')
  })

  it('says of a value whose it is, leaves a closed tenant alone, and refuses what it cannot do', async () => {
    const w = await tenants(provider)
    const { config } = w
    const { title } = await config.client.note.findUnique({ where: { id: 3 } })
    expect((await inspect(config, title)).key).toMatchObject({ keyring: 'tenant/d', version: 1 })
    await rotate(config, { keyring: 'tenant/d', now: true })
    expect(await destroyKeyring(config, 'tenant/d')).toMatchObject({ outcome: 'scheduled' })
    const ending = (await status(config)).keys.flatMap(({ tasks }) => tasks)
    expect(new Set(ending.map(({ command }) => command))).toEqual(
      new Set(['npx rowseal keys destroy --keyring tenant/d --cancel']),
    )
    await expect(config.keyring.get('tenant/d')).resolves.toMatchObject({ name: 'tenant/d' })
    expect(await verify(config)).toMatchObject({ outcome: 'incomplete', bad: 2 * (ROWS / 4) })
    await cancelDestroyKeyring(config, 'tenant/d')
    expect(await drain(config)).toMatchObject({ outcome: 'done', rows: 0 })
    expect(await verify(config)).toMatchObject({ outcome: 'done', bad: 0 })
    await expect(reindex(config)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    await expect(rotate(config)).rejects.toThrow(/tenant\/acme/)
    await expect(rotate(config, { keyring: 'tenant/x', now: true })).rejects.toMatchObject({
      code: 'ERR_KEYRING_MISSING',
    })
  })
})
