// A process of its own that starts as an application does, and answers one query:
//   start.ts plain|rowseal|peer FOLDER URL     prints milliseconds since its first line, as JSON
import { PrismaPg } from '@prisma/adapter-pg'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [subject, folder, connectionString] = process.argv.slice(2) as [string, string, string]
const start = performance.now()
const parts: Record<string, number> = {}

/** Note what a step took. */
async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await work()
  parts[name] = performance.now() - began
  return result
}

const load = (file: string): Promise<any> => import(pathToFileURL(`${folder}/${file}`).href)
const { PrismaClient } = await step('client', () => load('client/client.ts'))
const base = new PrismaClient({ adapter: new PrismaPg({ connectionString }) })

async function withRowseal(): Promise<any> {
  const { openKeyring, rowseal } = await step('library', () => import('@rowseal/prisma-extension'))
  const { localRootKey } = await import('@rowseal/prisma-extension/providers/local')
  const { sqlKeyStore } = await import('@rowseal/prisma-extension/stores/sql')
  const { plan } = await step('plan', () => load('rowseal.ts'))
  const root = localRootKey({ env: 'ROWSEAL_BENCH_ROOT_KEY' })
  const keyring = await step('keyring', () => openKeyring({ root, store: sqlKeyStore(base) }))
  return base.$extends(rowseal({ plan, keyring }))
}

async function withPeer(): Promise<any> {
  const { peerExtension } = await step('library', () => import('../peer.ts'))
  const schema = readFileSync(`${folder}/schema.prisma`, 'utf8')
  const extension = await step('plan', () => peerExtension(schema))
  return base.$extends(extension)
}

const open: Record<string, () => any> = { plain: () => base, rowseal: withRowseal, peer: withPeer }
const prisma = await open[subject]!()
await step('query', () => prisma.person.findUnique({ where: { id: 1 } }))
parts['total'] = performance.now() - start
console.log(JSON.stringify(parts))
process.exit(0)
