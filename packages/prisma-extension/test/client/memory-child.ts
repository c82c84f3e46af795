import { PrismaLibSql } from '@prisma/adapter-libsql'
import { generatedClient } from '@rowseal/test-support'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { writeHeapSnapshot } from 'node:v8'
import { rowseal } from '../../src/index.ts'
import { KeyError } from '../../src/errors.ts'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  openKeyring,
  registerIndex,
  rotate,
} from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import type { RootKey } from '../../src/keys/types.ts'
import { delegating } from '../keys/support.ts'
import { SCHEMA } from './memory-schema.ts'

// A process that seals, opens, rotates and fails, and then writes down what its memory shows: a heap
// snapshot, and `inspect` of everything an application gets to see.

const [url, folder] = process.argv.slice(2) as [string, string]
const { PrismaClient, plan } = await generatedClient({ provider: 'sqlite', schema: SCHEMA })
const base = new PrismaClient({ adapter: new PrismaLibSql({ url }) })
const store = sqlKeyStore(base)
const local = localRootKey({ file: join(folder, 'root.key') })
let trouble: Error | null = null
const root: RootKey = {
  ...delegating(local),
  unwrap: (...given) => (trouble === null ? local.unwrap(...given) : Promise.reject(trouble)),
}
/** What the test must find, so that its search is known to find things. */
const marker = { text: readFileSync(join(folder, 'marker.txt'), 'utf8') }
const markerBytes = readFileSync(join(folder, 'marker.bin'))
const errors: unknown[] = []
const note = (error: unknown): unknown => errors.push(error)

const open = (wrapping: 'kek' | 'kms') =>
  openKeyring({ root, store, wrapping, kekCache: { maxAgeMs: 1, maxStaleMs: 60_000 } })
const keyring = await open('kek')
await initKeyring(keyring)
await initIndexKeys(keyring)
await registerIndex(keyring, {
  id: 'Person.emailIndex',
  normalize: [],
  isUnique: false,
  complete: true,
})
const prisma: any = base.$extends(rowseal({ plan, keyring }))

async function use(client: any, from: number): Promise<void> {
  const data = Array.from({ length: 5 }, (_, i) => ({
    id: from + i,
    email: `e${i}`,
    notes: `n${i}`,
  }))
  await client.person.createMany({ data })
  await client.person.findMany()
  await client.person.findMany({ where: { email: 'e3' } })
  await client.$rowseal.flush()
}

await use(prisma, 0)
await rotate(keyring)
await addIndexKey(keyring)
await activateIndexKey(keyring)
await use(prisma, 100)
const kms = await open('kms')
await rotate(kms)
const second: any = base.$extends(rowseal({ plan, keyring: kms, reencryption: false }))
await use(second, 200)
await use(await base.$extends(rowseal({ plan, keyring: await open('kek') })), 300)

// Errors: an altered value, a key of nobody, a wrong root key, an outage, a denial.
const altered = { keyId: 1, suite: 0x01, wrapped: Buffer.alloc(60, 7) } as const
await keyring.forProcess([altered]).catch(note)
await kms.forProcess([{ ...altered, keyId: kms.activeKeyId!, suite: 0x02 }]).catch(note)
await keyring.forProcess([{ ...altered, keyId: 99 }]).catch(note)
await openKeyring({ root: localRootKey({ key: Buffer.from([...Array(32).keys()]) }), store }).catch(
  note,
)
trouble = new Error('out of reach')
await await openKeyring({ root, store }).catch(note)
trouble = new KeyError('ERR_ROOT_KEY_DENIED', 'Denied.', { fix: 'Allow it.' })
await prisma.person.findMany({ where: { email: 'e1' } }).catch(note)
trouble = null
await prisma.person.findMany({ where: { email: 'e1' } })

for (let i = 0; i < 5; i++) {
  await turn()
  globalThis.gc!()
}
writeHeapSnapshot(join(folder, 'heap.heapsnapshot'))
const all = { showHidden: true, maxArrayLength: Infinity, maxStringLength: Infinity }
/** A client has objects that go on for ever. */
const clients = [prisma, base].map((client) => inspect(client, { ...all, depth: 5 }))
const others = [keyring, keyring.index, keyring.stats(), keyring.keys(), keyring.root, ...errors]
const shown = [marker, markerBytes, root, ...others].map((one) =>
  inspect(one, { ...all, depth: Infinity }),
)
writeFileSync(join(folder, 'shown.json'), JSON.stringify([...shown, ...clients]))
writeFileSync(
  join(folder, 'errors.json'),
  JSON.stringify(errors.map((error) => (error as KeyError).code)),
)
await base.$disconnect()
// What was looked at must still have been there.
process.exit(markerBytes.length === 32 && second !== prisma ? 0 : 1)
