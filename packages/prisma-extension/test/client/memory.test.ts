import { database, generatedClient, temporaryFolder } from '@rowseal/test-support'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseText } from '../../src/envelope/index.ts'
import { openKeyring } from '../../src/keys/index.ts'
import { indexSubkey } from '../../src/keys/indexes/index-subkey.ts'
import { openKek } from '../../src/keys/memory/kek.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { SCHEMA } from './memory-schema.ts'

/** Every way in which a string could show bytes, by its beginning. */
function forms(bytes: Uint8Array): string[] {
  const key = Buffer.from(bytes)
  const some = [...key.subarray(0, 6)]
  return [
    key.toString('hex').slice(0, 24),
    key.toString('hex').slice(0, 24).toUpperCase(),
    key.toString('base64').slice(0, 16),
    key.toString('base64url').slice(0, 16),
    key.toString('latin1').slice(0, 12),
    key.toString('utf8').slice(0, 12),
    key
      .toString('hex')
      .slice(0, 24)
      .replace(/(..)(?=.)/g, '$1 '),
    some.join(','),
    some.join(', '),
  ]
}

describe('a process that sealed, opened, rotated and failed', () => {
  const shown: string[] = []
  const keys: Record<string, Uint8Array[]> = { root: [], kek: [], index: [], subkey: [], dek: [] }
  const marker = { text: randomBytes(16).toString('hex'), bytes: randomBytes(32) }
  let strings: string[] = []
  let codes: string[] = []

  beforeAll(async () => {
    const db = await database('sqlite')
    const { PrismaClient, ddl } = await generatedClient({ provider: 'sqlite', schema: SCHEMA })
    await db.exec(ddl)
    const { path: folder, remove } = temporaryFolder('memory')
    const rootKey = randomBytes(32)
    writeFileSync(join(folder, 'root.key'), rootKey.toString('base64'), { mode: 0o600 })
    writeFileSync(join(folder, 'marker.txt'), marker.text)
    writeFileSync(join(folder, 'marker.bin'), marker.bytes)
    const path = fileURLToPath(new URL('memory-child.ts', import.meta.url))
    const flags = ['--expose-gc', '--heap-snapshot-string-limit=1000000', '--import', 'tsx']
    const child = spawnSync(process.execPath, [...flags, path, db.url, folder], {
      encoding: 'utf8',
    })
    expect([child.stderr, child.status]).toEqual(['', 0])
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
    const heap = read('heap.heapsnapshot')
    strings = JSON.parse(heap.slice(heap.lastIndexOf('"strings":') + 10, heap.lastIndexOf('}')))
    shown.push(...JSON.parse(read('shown.json')))
    codes = JSON.parse(read('errors.json'))
    const client = new PrismaClient({ adapter: db.adapter() })
    keys['root']!.push(rootKey)
    await collect(client, localRootKey({ key: rootKey }))
    await client.$disconnect()
    await db.drop()
    remove()
  })

  /** All keys there are, from the key store and the values. */
  async function collect(client: any, root: ReturnType<typeof localRootKey>): Promise<void> {
    const keyring = await openKeyring({ root, store: sqlKeyStore(client) })
    await keyring.index.refresh()
    for (const row of keyring.keys()) keys['kek']!.push((await openKek(root, row)).key.export())
    for (const row of keyring.index.keys()) {
      const { key } = await openKek(root, row)
      keys['index']!.push(key.export())
      keys['subkey']!.push(indexSubkey(key, 'Person.emailIndex').export())
    }
    const people: any[] = await client.person.findMany()
    const envelopes = people.map(({ email }) => parseText(email)!) // notes have the same DEK
    const deks = await keyring.forProcess(envelopes)
    keys['dek']!.push(...deks.map((dek) => dek.export()))
  }

  test('had keys of every kind, and failed in every way', () => {
    const counts = Object.fromEntries(Object.entries(keys).map(([kind, all]) => [kind, all.length]))
    expect(counts).toEqual({ root: 1, kek: 3, index: 2, subkey: 2, dek: 20 })
    expect(codes).toEqual([
      'ERR_ENVELOPE_AUTH',
      'ERR_ENVELOPE_AUTH',
      'ERR_KEY_UNKNOWN',
      'ERR_KEY_MISMATCH',
      'ERR_KEY_UNAVAILABLE',
      'ERR_ROOT_KEY_DENIED',
    ])
  })

  test.each(Object.keys(keys))('has no %s key in its heap', (kind) => {
    const heap = strings.join('\n')
    expect(heap).toContain(marker.text)
    const found = keys[kind]!.flatMap(forms).filter((form) => heap.includes(form))
    expect(found).toHaveLength(0)
  })

  test('has no bytes of buffers in its heap snapshot, where the DEK cache has its keys', () => {
    const heap = strings.join('\n')
    expect(forms(marker.bytes).filter((form) => heap.includes(form))).toHaveLength(0)
  })

  test.each(Object.keys(keys))('shows no %s key of client, keyring or errors', (kind) => {
    const [text, bytes, ...all] = shown
    expect(text).toContain(marker.text)
    expect(forms(marker.bytes).some((form) => bytes!.includes(form))).toBe(true)
    const printed = all.join('\n')
    const found = keys[kind]!.flatMap(forms).filter((form) => printed.includes(form))
    expect(found).toHaveLength(0)
  })
})
