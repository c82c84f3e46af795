import { decrypt, encrypt, init, reindex } from '@rowseal/migrator'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  openKeyring,
} from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient, type GeneratedClient } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'
import type { Provider } from './migrator/world.ts'

const CHUNK = 1_000

const schema = (options: string): string => `
model Note {
  id         Int     @id
  /// @encrypted(${options})
  title      String
  /// @blindIndex(title)
  titleIndex String?
  /// @encrypted(${options})
  text       String
}`

/** Rows per second of sealing a table of two fields of 60 bytes and an index, indexing it anew, and opening it. */
export async function directionRates(
  provider: Provider,
  rows: number,
): Promise<Readonly<Record<'encrypt' | 'reindex' | 'decrypt', number>>> {
  const entering = await generatedClient({ provider, schema: schema('plaintext: allow') })
  const leaving = await generatedClient({ provider, schema: schema('seal: off') })
  const db = await database(provider)
  await db.exec(entering.ddl)
  const clientOf = ({ PrismaClient }: GeneratedClient): any =>
    new PrismaClient({ adapter: db.adapter() })
  const [client, last] = [clientOf(entering), clientOf(leaving)]
  for (let at = 0; at < rows; at += CHUNK) {
    const data = Array.from({ length: Math.min(CHUNK, rows - at) }, (_, i) => note(at + i))
    await client.note.createMany({ data })
  }
  const root = localRootKey({ key: randomBytes(32) })
  const keyring = await openKeyring({ root, store: sqlKeyStore(client) })
  await initKeyring(keyring)
  await initIndexKeys(keyring)
  const config = { client, plan: entering.plan, keyring }
  await init(config)
  const rates = { encrypt: 0, reindex: 0, decrypt: 0 }
  rates.encrypt = await rate(rows, () => encrypt(config, { now: true }))
  await reindex(config, { now: true })
  await addIndexKey(keyring)
  await activateIndexKey(keyring)
  rates.reindex = await rate(rows, () => reindex(config, { now: true }))
  const off = { client: last, plan: leaving.plan, keyring }
  rates.decrypt = await rate(rows, () => decrypt(off, { now: true }))
  await Promise.all([client.$disconnect(), last.$disconnect()])
  await db.drop()
  return rates
}

export function note(id: number): Record<string, unknown> {
  return { id, title: `title ${id}`.padEnd(60, '.'), text: `text ${id}`.padEnd(60, '.') }
}

async function rate(rows: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return Math.round((rows * 1000) / (performance.now() - start))
}
