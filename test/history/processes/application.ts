import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { oneOf, randomOf } from '../../../packages/migrator/test/kills/random.ts'
import { DELETED } from '../history.ts'
import { openInstance } from '../instance.ts'
import type { Release } from '../schema.ts'
import { contentOf, expectedEntry, expectedNote } from '../values.ts'
import { ENTRY_FIELDS, NOTE_FIELDS, entryOf, loginOf, noteOf, type Content } from '../values.ts'
import { freezing } from './freezing.ts'
import { mayGoOn, name, recorded, rest, say, seed, spec } from './process.ts'

// An instance of one release of the application: several requests at once, each a read or a write of records that all
// instances share, or of records that only this process knows.

const REQUESTS = 3
const MAX_REST_MS = 40
const release = rest[0] as Release
const random = randomOf(Number(seed))
const { prisma: sealed, Prisma, keyring } = await openInstance(spec, release)
const prisma = freezing(sealed, random)
const below = (n: number): number => Math.floor(random() * n)
let writes = 0
let created = 0

function nextContent(): Content {
  return {
    writer: `${name}/${++writes}`,
    hasDoc: random() < 0.8,
    phone: random() < 0.25 ? null : below(1e6),
    login: random() < 0.3 ? null : below(spec.records * 3),
  }
}

const noteRecord = (id: number): string => `Note:${id}`
const entryRecord = (id: number): string => `Entry:${id}`

const readNote = (id: number): Promise<unknown> =>
  recorded(
    'read',
    undefined,
    () => prisma.note.findUnique({ where: { id }, select: NOTE_FIELDS }),
    (row: any) => ({ reads: { [noteRecord(id)]: row === null ? null : contentOf(row) } }),
  )

const readsOf = (record: (id: number) => string, rows: readonly any[]): Record<string, string> =>
  Object.fromEntries(rows.map((row) => [record(row.id), contentOf(row)]))

const readAll = (): Promise<unknown> =>
  recorded(
    'read all',
    undefined,
    () => prisma.note.findMany({ select: { id: true, ...NOTE_FIELDS } }),
    (rows: any) => ({ reads: readsOf(noteRecord, rows) }),
  )

/** By what it holds: at most one row has a login. */
async function search(): Promise<unknown> {
  const login = loginOf(below(spec.records * 3))
  return recorded(
    'search',
    undefined,
    () => prisma.note.findMany({ where: { login }, select: { id: true, ...NOTE_FIELDS } }),
    (rows: any) => ({
      reads: readsOf(noteRecord, rows),
      detail: { found: rows.length, isRight: rows.every((row: any) => row.login === login) },
    }),
  )
}

/** At one moment of the database: what indexes find, and what is there. */
async function compare(): Promise<unknown> {
  const select = { id: true, ...NOTE_FIELDS }
  const field = random() < 0.5 ? 'login' : 'phone'
  const look = async (tx: any): Promise<any> => {
    const all = await tx.note.findMany({ select })
    const text = oneOf<any>(random, all)[field]
    if (text === null) return { all, found: [], expected: [] }
    const found = await tx.note.findMany({ where: { [field]: text }, select: { id: true } })
    return { all, found, expected: all.filter((row: any) => row[field] === text) }
  }
  const ids = (rows: any): string => JSON.stringify(rows.map(({ id }: any) => id).sort())
  return recorded(
    'compare',
    undefined,
    () => prisma.$transaction(look, { isolationLevel: 'RepeatableRead' }),
    ({ all, found, expected }: any) => ({
      reads: readsOf(noteRecord, all),
      detail: {
        field,
        found: found.length,
        expected: expected.length,
        isRight: ids(found) === ids(expected),
      },
    }),
  )
}

const readEntries = (): Promise<unknown> =>
  recorded(
    'read entries',
    undefined,
    () => prisma.entry.findMany({ select: { id: true, ...ENTRY_FIELDS } }),
    (rows: any) => ({ reads: readsOf(entryRecord, rows) }),
  )

function writeNote(
  kind: string,
  id: number,
  send: (client: any, id: number, data: any) => Promise<unknown>,
): Promise<unknown> {
  const content = nextContent()
  const data = noteOf(content, Prisma.DbNull)
  return recorded(kind, { [noteRecord(id)]: expectedNote(content) }, () => send(prisma, id, data))
}

const ID = { id: true }
const update = (client: any, id: number, data: any): Promise<unknown> =>
  client.note.update({ where: { id }, data, select: ID })
const upsert = (client: any, id: number, data: any): Promise<unknown> =>
  client.note.upsert({ where: { id }, create: { id, ...data }, update: data, select: ID })
const create = (client: any, id: number, data: any): Promise<unknown> =>
  client.note.create({ data: { id, ...data }, select: ID })
const inTransaction = (client: any, id: number, data: any): Promise<unknown> =>
  client.$transaction(async (tx: any) => {
    await tx.note.findUnique({ where: { id } })
    await update(tx, id, data)
  })

/** One value to two rows at once. */
async function updateEntries(): Promise<unknown> {
  const content = nextContent()
  const ids = [below(spec.records), below(spec.records)]
  const writes = Object.fromEntries(ids.map((id) => [entryRecord(id), expectedEntry(content)]))
  const where = { id: { in: ids } }
  return recorded('update many', writes, () =>
    prisma.entry.updateMany({ where, data: entryOf(content) }),
  )
}

/** A record that only this process knows: created, updated, read, deleted. */
async function life(): Promise<void> {
  const [, place = '0', nth = '0'] = /-(\d+)\.(\d+)$/.exec(name) ?? []
  const id = 10_000_000 * (1 + Number(place)) + 10_000 * (Number(nth) % 1000) + ++created
  if (!isDone(await writeNote('create', id, create))) return
  if (random() < 0.5) await writeNote('update', id, update)
  await readNote(id)
  if (random() < 0.7) await recorded('delete', { [noteRecord(id)]: DELETED }, () => remove(id))
  await readNote(id)
}

const isDone = (result: unknown): boolean => result !== undefined
const remove = (id: number): Promise<unknown> => prisma.note.delete({ where: { id }, select: ID })

const REQUEST_KINDS: readonly (readonly [number, (id: number) => Promise<unknown>])[] = [
  [24, readNote],
  [4, readAll],
  [8, search],
  [4, compare],
  [4, readEntries],
  [26, (id) => writeNote('update', id, update)],
  [10, (id) => writeNote('upsert', id, upsert)],
  [8, (id) => writeNote('transaction', id, inTransaction)],
  [10, updateEntries],
  [6, life],
]
const KINDS = REQUEST_KINDS.flatMap(([weight, request]) =>
  Array.from({ length: weight }, () => request),
)

async function requests(): Promise<void> {
  while (mayGoOn()) {
    await oneOf(random, KINDS)(below(spec.records))
    await sleep(random() * MAX_REST_MS)
  }
}

await Promise.all(Array.from({ length: REQUESTS }, requests))
await sealed.$rowseal.flush({ timeoutMs: 3000 })
say(`reencryption ${JSON.stringify(sealed.$rowseal.stats().reencryption)}`)
for (const object of [keyring, sealed.$rowseal, sealed.$rowseal.stats()])
  say(inspect(object, { depth: 12, showHidden: true }))
process.exit()
