import { randomBytes } from 'node:crypto'
import { openKeyring, rowseal } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient } from '@rowseal/test-support'
import { afterEach, expect, it } from 'vitest'
import { init, reindex, rotateIndex, status } from '../src/index.ts'
import { PROVIDERS } from './world.ts'

let end: () => Promise<void>
afterEach(() => end())

const SCHEMA = `
model Note {
  id          Int     @id
  /// @encrypted
  title       String
  /// @blindIndex(title)
  titleIndex  String?
  /// @encrypted(keyring: "other")
  author      String
  /// @blindIndex(author)
  authorIndex String?
  @@index([titleIndex])
  @@index([authorIndex])
}
model Plain {
  id   Int    @id
  /// @encrypted(keyring: "third")
  text String
}
`

it.each(PROVIDERS)(
  'each keyring has index keys of its own, if it has indexes, on %s',
  async (provider) => {
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
    const store = sqlKeyStore(client)
    const keyring = await Promise.all(
      ['default', 'other', 'third'].map((name) => openKeyring({ root, store, name })),
    )
    const config = { client, plan, keyring }
    expect((await init(config)).indexes).toMatchObject([
      { index: 'Note.titleIndex', keyring: 'default', isComplete: true },
      { index: 'Note.authorIndex', keyring: 'other', isComplete: true },
    ])
    expect(keyring.map(({ index }) => index.exists)).toEqual([true, true, false])
    const sealed = client.$extends(rowseal({ plan, keyring, reencryption: false }))
    const data = [1, 2, 3].map((id) => ({ id, title: `t${id}`, author: `a${id}` }))
    await sealed.note.createMany({ data })

    await expect(rotateIndex(config)).rejects.toThrow(/default, other, third/)
    await expect(rotateIndex(config, { keyring: 'third', now: true })).rejects.toMatchObject({
      code: 'ERR_KEYRING_MISSING',
    })
    await rotateIndex(config, { keyring: 'other', now: true })
    const report = await reindex(config, { now: true })
    expect(report).toMatchObject({ outcome: 'done', rows: 3, retired: [{ keyring: 'other' }] })
    const { keys } = await status(config)
    expect(
      keys
        .filter((key) => key.keyring.endsWith('/index'))
        .map((key) => [key.keyring, key.version, key.state, key.values]),
    ).toEqual([
      ['default/index', 1, 'active', 3],
      ['other/index', 1, 'deactivated', 0],
      ['other/index', 2, 'active', 3],
    ])
    const found = await sealed.note.findMany({ where: { author: 'a2', title: 't2' } })
    expect(found.map((row: any) => row.id)).toEqual([2])
  },
)
