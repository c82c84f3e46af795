import { openKeyring, rowseal } from '@rowseal/prisma-extension'
import { closeKeyring } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { afterEach, describe, expect, it } from 'vitest'
import {
  cancelDestroyKeyring,
  destroyKeyring,
  init,
  listKeys,
  reindex,
  rotate,
  rotateIndex,
  status,
  type Shredding,
} from '../src/index.ts'
import { renderStatus } from '../src/cli/render.ts'
import { renderShredding } from '../src/cli/render-ends.ts'
import { FOLLOW } from './accounts.ts'
import { addMembers, MEMBERS } from './indexed.ts'
import { closeWorlds, drain, PROVIDERS, world, type Provider, type World } from './world.ts'

afterEach(closeWorlds)

async function members(provider: Provider): Promise<World> {
  const w = await world(provider, MEMBERS, { keyring: FOLLOW })
  await addMembers(w, 20)
  return w
}

describe.each(PROVIDERS)('the end of a keyring on %s', (provider) => {
  it('counts what it makes unreadable, opens nothing meanwhile, and deletes every key', async () => {
    const w = await members(provider)
    const asked: Shredding[] = []
    const confirm = (shredding: Shredding): Promise<boolean> => {
      asked.push(shredding)
      return Promise.resolve(asked.length > 1)
    }
    expect(await destroyKeyring(w.config, 'default', { confirm })).toMatchObject({
      outcome: 'declined',
    })
    expect(await destroyKeyring(w.config, 'default', { confirm, waitDays: 7 })).toMatchObject({
      outcome: 'scheduled',
    })
    expect(asked[1]).toMatchObject({ step: 'schedule', keyring: 'default' })
    expect(asked[1]!.columns.map(({ field, rows }) => [field, rows])).toEqual([
      ['email', 18],
      ['emailIndex', 18],
      ['phone', 18],
      ['phoneIndex', 18],
    ])
    await expect(w.sealed.member.findMany()).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect(addMembers(w, 1, 50)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    expect(await destroyKeyring(w.config, 'default')).toMatchObject({ outcome: 'waiting' })

    await cancelDestroyKeyring(w.config, 'default')
    expect(await w.sealed.member.findMany()).toHaveLength(20)
    await closeKeyring(w.keyring, new Date(Date.now() - 1000))
    expect(await destroyKeyring(w.config, 'default', { confirm })).toMatchObject({
      outcome: 'destroyed',
      destroyAt: null,
    })
    const { keyrings } = await listKeys(w.config)
    expect(keyrings.map(({ isOpen }) => isOpen)).toEqual([false, false])
    expect(keyrings.flatMap(({ keys }) => keys.map(({ state }) => state))).toEqual([
      'destroyed',
      'destroyed',
    ])
    expect(await destroyKeyring(w.config, 'default')).toMatchObject({ outcome: 'destroyed' })
  })

  it('taken back it seals and searches again after rotations', async () => {
    const w = await members(provider)
    await destroyKeyring(w.config, 'default')
    await cancelDestroyKeyring(w.config, 'default')
    expect((await status(w.config)).keyrings).toMatchObject([{ isOpen: false }, { isOpen: false }])
    await rotate(w.config, { now: true })
    await rotateIndex(w.config, { now: true })
    const email = 'Member3@example.org'
    // What is not registered is refused, not missed.
    await expect(w.sealed.member.findMany({ where: { email } })).rejects.toMatchObject({
      code: 'ERR_QUERY_UNSUPPORTED',
    })
    await reindex(w.config, { now: true })
    expect(await w.sealed.member.findMany({ where: { email } })).toHaveLength(1)
    await addMembers(w, 5, 100)
  })
})

describe('a keyring whose DEKs the root key wraps', () => {
  it.each(['kek', 'kms'] as const)(
    'is told apart, as its values open without it: wrapping %s',
    async (wrapping) => {
      const w = await world('sqlite', MEMBERS, { keyring: { ...FOLLOW, wrapping } })
      let shown = ''
      const confirm = (shredding: Shredding): Promise<boolean> => {
        shown = renderShredding(shredding)
        return Promise.resolve(true)
      }
      const report = await destroyKeyring(w.config, 'default', { confirm })
      expect(report.isRootWrapped).toBe(wrapping === 'kms')
      expect(shown.includes('Whoever may use the root key')).toBe(wrapping === 'kms')
      expect(shown.includes('in every backup')).toBe(wrapping === 'kek')
    },
  )
})

describe.each(PROVIDERS)('a key store that was lost, on %s', (provider) => {
  it('is not replaced by init, unless the values may stay unreadable', async () => {
    const w = await members(provider)
    await w.run('DELETE FROM rowseal_keys', 'DELETE FROM rowseal_keyrings')
    const config = {
      ...w.config,
      keyring: await openKeyring({
        root: localRootKey({ key: w.rootKey }),
        store: sqlKeyStore(w.plain),
      }),
    }
    await expect(init(config)).rejects.toMatchObject({
      code: 'ERR_KEYRING_LOST',
      field: 'Member.email',
    })
    await w.run('UPDATE "group" SET email = NULL, phone = NULL')
    await expect(init(config)).rejects.toMatchObject({ field: 'Member.emailIndex' })
    expect(await w.query('SELECT * FROM rowseal_keys')).toEqual([])
    expect(await init(config, { acceptUnreadable: true })).toMatchObject({
      keyrings: [{ isCreated: true }],
    })
    expect(await init(config)).toMatchObject({ keyrings: [{ isCreated: false }] })
  })

  it('and put back to a state of before is told by status, before a key id is used twice', async () => {
    const w = await members(provider)
    const tables = ['rowseal_keyrings', 'rowseal_keys']
    for (const table of tables) await w.run(`CREATE TABLE kept_${table} AS SELECT * FROM ${table}`)
    const { to } = await rotate(w.config, { now: true })
    await drain(w.config)
    expect(renderStatus(await status(w.config))).not.toContain('no such key')
    for (const table of tables)
      await w.run(`DELETE FROM ${table}`, `INSERT INTO ${table} SELECT * FROM kept_${table}`)
    const said = renderStatus(await status(await w.another()))
    expect(said).toContain(`18 of Member.email are under key ${to.keyId}.\n`)
    expect(said).toContain('The key store has no such key: it is another one, or was put back')
    expect((await rotate(await w.another(), { now: true })).to.keyId).toBe(to.keyId)
  })

  it('is looked for in bytes, lists and Json too', async () => {
    const list = provider === 'postgresql' ? '/// @encrypted\n  words String[]' : ''
    const w = await world(
      provider,
      `model Doc {\n  id Int @id\n  /// @encrypted\n  json Json?\n  /// @encrypted\n  scan Bytes?\n  ${list}\n}`,
    )
    await w.run('DELETE FROM rowseal_keys', 'DELETE FROM rowseal_keyrings')
    const fresh = async (): Promise<typeof w.config> => ({
      ...w.config,
      keyring: await openKeyring({
        root: localRootKey({ key: w.rootKey }),
        store: sqlKeyStore(w.plain),
      }),
    })
    const rows = [
      { json: { a: 1 } },
      { scan: new Uint8Array([1]) },
      ...(list === '' ? [] : [{ words: ['x'] }]),
    ]
    for (const [id, row] of rows.entries()) {
      await init(await fresh())
      await w.another().then(async (other) => {
        const client = (other.client as any).$extends(
          rowseal({ plan: other.plan, keyring: other.keyring as any }),
        )
        await client.doc.create({ data: { id, ...row } })
      })
      await w.run('DELETE FROM rowseal_keys', 'DELETE FROM rowseal_keyrings')
      await expect(init(await fresh())).rejects.toMatchObject({
        code: 'ERR_KEYRING_LOST',
        field: `Doc.${Object.keys(row)[0]!}`,
      })
      await w.run('DELETE FROM "Doc"')
    }
  })
})
