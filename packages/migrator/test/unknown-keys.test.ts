import { openKeyring } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { generatedClient } from '@rowseal/test-support'
import { afterEach, describe, expect, it } from 'vitest'
import { renderDrain } from '../src/cli/render-run.ts'
import { renderStatus } from '../src/cli/render.ts'
import {
  drain as drainAll,
  init,
  planDrain,
  rotate,
  status,
  type MigratorConfig,
} from '../src/index.ts'
import { Command } from './command.ts'
import { addMembers, MEMBERS } from './indexed.ts'
import { closeWorlds, drain, PROVIDERS, world, type Provider, type World } from './world.ts'

let command: Command
afterEach(async () => {
  command.remove()
  await closeWorlds()
})

const STORE = ['rowseal_keyrings', 'rowseal_keys']
const NO_SUCH_KEY =
  'The key store has no such key: it is another one, or was put back to a state of before. Connect to the right one, or restore it'

/** Members under a key version that the key store does not have: it was put back to a state of before. */
async function putBack(provider: Provider): Promise<{ w: World; keyId: number }> {
  const w = await world(provider, MEMBERS)
  command = new Command(w)
  await addMembers(w, 20)
  for (const table of STORE) await w.run(`CREATE TABLE kept_${table} AS SELECT * FROM ${table}`)
  const { to } = await rotate(w.config, { now: true })
  await drain(w.config)
  for (const table of STORE) {
    await w.run(`CREATE TABLE right_${table} AS SELECT * FROM ${table}`)
    await restore(w, 'kept', [table])
  }
  return { w, keyId: to.keyId }
}

async function restore(w: World, which: 'kept' | 'right', tables = STORE): Promise<void> {
  for (const table of tables)
    await w.run(`DELETE FROM ${table}`, `INSERT INTO ${table} SELECT * FROM ${which}_${table}`)
}

describe.each(PROVIDERS)(
  'values under keys that the key store does not have, on %s',
  (provider) => {
    it('are told by a drain, with how many and where, and it does not end as if all was well', async () => {
      const { w, keyId } = await putBack(provider)
      const { code, stderr } = await command.run('drain', '--now')
      expect(stderr).toContain(`18 of Member.email are under key ${keyId}.\n`)
      expect(stderr).toContain(`18 of Member.phone are under key ${keyId}.\n`)
      expect(stderr).toContain(NO_SUCH_KEY)
      for (const wrong of ['Nothing is stale', 'by others', 'keys retire'])
        expect(stderr).not.toContain(wrong)
      expect(code).toBe(3)
      const told = (await command.run('status')).stderr
      expect(told.slice(told.indexOf('18 of'))).toContain(stderr.slice(stderr.indexOf('18 of')))
      const unknown = [
        { field: 'Member.email', keyId, keyring: null, count: 18 },
        { field: 'Member.phone', keyId, keyring: null, count: 18 },
      ]
      expect(await drain(await w.another())).toMatchObject({
        outcome: 'incomplete',
        rows: 0,
        quarantined: 0,
        unknown,
        drained: [],
      })
      expect(await status(await w.another())).toMatchObject({ stale: 0, unknown })
      const plan = await planDrain(await w.another())
      expect(plan).toMatchObject({ unknown, models: [{ byField: [{ changing: 0 }, {}] }] })
      expect((await command.run('drain', '--dry-run')).stderr).toContain(NO_SUCH_KEY)
      await restore(w, 'right')
      expect(await command.run('drain', '--now')).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('Nothing is stale.'),
      })
    })

    it('are no values under a version that was made while the drain ran', async () => {
      const w = await world(provider, MEMBERS)
      command = new Command(w)
      await addMembers(w, 5)
      const other = await w.another()
      const config = beforeCount(await w.another(), async () => {
        await rotate(other, { now: true })
        await w.keyring.refresh()
        await addMembers(w, 5, 5)
      })
      expect(await drainAll(config, { now: true })).toMatchObject({
        outcome: 'incomplete',
        unknown: [],
      })
      expect(await drain(config)).toMatchObject({ outcome: 'done', unknown: [] })
    })
  },
)

it('says of values under a key of another keyring whose key it is', async () => {
  const under = (keyring: string): string => `
model Note {
  id   Int    @id
  /// @encrypted
  text String
  /// @encrypted(keyring: "${keyring}")
  author String
}
`
  const w = await world('sqlite', under('default'))
  command = new Command(w)
  await w.sealed.note.create({ data: { id: 1, text: 'a', author: 'b' } })
  const { plan } = await generatedClient({ provider: 'sqlite', schema: under('audit') })
  const { store } = w.keyring
  const audit = await openKeyring({ name: 'audit', root: localRootKey({ key: w.rootKey }), store })
  const both = { client: w.plain, plan, keyring: [w.keyring, audit] }
  await init(both)
  const unknown = [{ field: 'Note.author', keyId: 1, keyring: 'default', count: 1 }]
  const report = await drain(both)
  expect(report).toMatchObject({ outcome: 'incomplete', unknown })
  const now = await status(both)
  expect(now).toMatchObject({ unknown })
  for (const text of [renderDrain(report, true), renderStatus(now)]) {
    expect(text).toContain('1 of Note.author are under key 1 of keyring "default", which is not')
    expect(text).not.toContain('no such key')
  }
})

/** The same with `before` done once, ahead of the count after the run. */
function beforeCount(config: MigratorConfig, before: () => Promise<void>): MigratorConfig {
  let isDone = false
  const client: any = new Proxy(config.client as any, {
    get: (target, name) =>
      name !== '$queryRawUnsafe'
        ? target[name]
        : async (sql: string, ...params: unknown[]) => {
            if (!isDone && sql.includes('AS field, c0.')) {
              isDone = true
              await before()
            }
            return target.$queryRawUnsafe(sql, ...params)
          },
  })
  return { ...config, client }
}
