import { openEnvelope, parseBytes, parseText, valueAad } from '@rowseal/prisma-extension/envelope'
import { onEachWrite } from './intercept.ts'
import { world, type Provider, type World } from './world.ts'

/** A field of every kind, bound, padded and indexed ones among them, under names that SQL reserves. */
const people = (provider: Provider, option: string): string => `
enum Kind {
  IN
  OUT
}
model Person {
  id         Int     @id @map("order")
  owner      String  @map("group")
  kind       Kind
  /// @encrypted(${option})
  name       String  @map("select")
  /// @encrypted(${option}, bind: [id, owner, kind])
  notes      Json?
  /// @encrypted(${option}, pad: 64)
  pin        String?
  /// @encrypted(${option})
  scan       Bytes?
  /// @encrypted(${option})
  login      String?
  /// @blindIndex(login, normalize: [lowercase])
  loginIndex String? @unique
  /// @blindIndex(login, normalize: [lowercase], slot: 2)
  loginOther String? @unique
  /// @encrypted(${option})
  phone      String?
  /// @blindIndex(phone, normalize: [digits])
  phoneIndex String?
  ${provider === 'postgresql' ? lists(option) : ''}
  @@index([phoneIndex])
  @@map("table")
}
`

const lists = (option: string): string => `
  /// @encrypted(${option})
  words String[]
  /// @encrypted(${option})
  docs  Json[]
  /// @encrypted(${option}, bind: [owner])
  blobs Bytes[]
  /// @encrypted(${option})
  text  Json? @db.Json`

/** A table that may hold plaintext, and the same one once it leaves Rowseal. */
export const entering = (provider: Provider): string => people(provider, 'plaintext: allow')
export const leaving = (provider: Provider): string => people(provider, 'seal: off')

const JSONS: readonly unknown[] = [
  { i: 1, text: 'x "\\ \n', nested: [null, 1.5, { '': true }] },
  'text',
  '',
  'é😀',
  0,
  -1.25,
  1e21,
  true,
  false,
  [],
  {},
  [[['deep']]],
]

export function person(provider: Provider, id: number): any {
  return {
    id,
    owner: `Ow'ner ü${id % 3} `,
    kind: id % 2 === 0 ? 'IN' : 'OUT',
    name: ['', ' ', 'é😀'][id] ?? `Name ${id}`,
    notes: id % 5 === 4 ? undefined : JSONS[id % JSONS.length],
    pin: id % 4 === 3 ? null : 'p'.repeat(id * 7),
    scan: id % 3 === 0 ? null : new Uint8Array([id, 0, 255, 0x52, 0x53]),
    login: id % 6 === 5 ? null : `User${id}`,
    phone: id % 7 === 6 ? null : `+49 (0) ${id % 4}`,
    ...(provider === 'postgresql'
      ? {
          words: ['', `"{},\\${id}`, 'NULL'].slice(0, id % 4),
          docs: [{ id }, 'text', [1], 1.5].slice(0, id % 5),
          blobs: [new Uint8Array([id]), new Uint8Array([])].slice(0, id % 3),
          text: id % 2 === 0 ? { b: id, a: [1] } : undefined,
        }
      : {}),
  }
}

/** With rows that an application wrote which did not know of Rowseal. */
export async function peopleInPlain(provider: Provider, count: number): Promise<World> {
  const w = await world(provider, entering(provider))
  await addPlain(w, count)
  return w
}

export async function addPlain({ plain, provider }: World, count: number, from = 0): Promise<void> {
  const data = Array.from({ length: count }, (_, i) => person(provider, from + i))
  await plain.person.createMany({ data })
}

const byId = { orderBy: { id: 'asc' } }
/** What applications read. */
export const opened = (w: World): Promise<any[]> => w.sealed.person.findMany(byId)
/** What is stored, as Prisma reads it. */
export const stored = (w: World): Promise<any[]> => w.plain.person.findMany(byId)

/** What columns of blind indexes hold is theirs: an application that does not know of them leaves them NULL. */
export function withoutIndexes(rows: any[]): any[] {
  return rows.map((row) => ({ ...row, loginIndex: null, loginOther: null, phoneIndex: null }))
}

/** What is stored, as the database has it. */
export async function dump(w: World): Promise<any[]> {
  const { provider } = w
  const names = ['select', 'notes', 'pin', 'login', 'phone', 'loginIndex', 'loginOther']
  const all = [...names, 'phoneIndex', ...(provider === 'postgresql' ? LISTS : [])]
  const asText = provider === 'mysql' ? 'CHAR' : 'TEXT'
  const columns = [
    ...all.map((name) => `CAST("${name}" AS ${asText}) AS "${name}"`),
    ...(provider === 'sqlite' ? [`typeof(notes) AS type`, `hex(CAST(notes AS BLOB)) AS hex`] : []),
  ]
  return w.query(`SELECT "order", scan, ${columns.join(', ')} FROM "table" ORDER BY "order"`)
}

const LISTS = ['words', 'docs', 'blobs', 'text']

/** The plaintext in an envelope of a field without further bound columns, as hex, codec and padding included. */
export async function plaintextOf(
  { keyring }: World,
  field: string,
  value: string | Uint8Array,
): Promise<string> {
  const envelope = typeof value === 'string' ? parseText(value) : parseBytes(value)
  const [key] = await keyring.forProcess([envelope!])
  return openEnvelope(envelope!, key!, valueAad(envelope!.suite, `Person.${field}`)).toString('hex')
}

/** The wrapped DEK of an envelope, as hex. */
export function dekOf(value: string | Uint8Array): string {
  const envelope = typeof value === 'string' ? parseText(value) : parseBytes(value)
  return Buffer.from(envelope!.wrapped).toString('hex')
}

/** Does something once a page of rows has been read the first time, before anything is made of it. */
export function afterFirstPage(client: any, act: () => Promise<unknown>): any {
  let isDone = false
  return new Proxy(client, {
    get: (target, name) =>
      name !== '$queryRawUnsafe'
        ? target[name]
        : async (sql: string, ...params: unknown[]) => {
            const rows = await target.$queryRawUnsafe(sql, ...params)
            if (!isDone && /\browseal_p\b/.test(sql)) {
              isDone = true
              await act()
            }
            return rows
          },
  })
}

/** Fails within the transaction of the nth batch, and ever after, as if the process had ended. */
export function cutOff(client: any, nth: number): any {
  let count = 0
  return onEachWrite(client, (sql) => {
    if (/UPDATE[^]*["`]table["`]/.test(sql)) count++
    if (count >= nth) throw new Error('cut off')
  })
}
