import { indexValue, normalize } from '@rowseal/prisma-extension/envelope'
import { world, type Provider, type World } from './world.ts'

/** A field that is searched, once its rows have an index; and one that may hold plaintext. */
export const MEMBERS = `
model Member {
  id         Int     @id
  /// @encrypted
  email      String?
  /// @blindIndex(email, normalize: [trim, lowercase])
  emailIndex String?
  /// @encrypted(plaintext: allow)
  phone      String?
  /// @blindIndex(phone, normalize: [digits])
  phoneIndex String?
  @@index([emailIndex])
  @@index([phoneIndex])
  @@map("group")
}
`

/** The same before anybody thought of searching. */
export const MEMBERS_BEFORE = MEMBERS.split('\n')
  .filter((line) => !/blindIndex|Index\b/.test(line))
  .join('\n')

const COLUMNS = ['emailIndex', 'phoneIndex']

export function member(i: number): { id: number; email: string | null; phone: string | null } {
  return {
    id: i,
    email: i % 10 === 9 ? null : `Member${i}@example.org `,
    phone: i % 7 === 6 ? null : `+49 (0) ${i}`,
  }
}

export async function addMembers({ sealed }: World, count: number, from = 0): Promise<void> {
  const data = Array.from({ length: count }, (_, i) => member(from + i))
  for (let at = 0; at < count; at += 1000)
    await sealed.member.createMany({ data: data.slice(at, at + 1000) })
}

/** A table that has rows, whose schema has just got its index columns. `init` has not been run since. */
export async function membersWithoutIndex(provider: Provider, count: number): Promise<World> {
  const before = await world(provider, MEMBERS_BEFORE)
  await addMembers(before, count)
  const type = provider === 'mysql' ? 'VARCHAR(191)' : 'TEXT'
  for (const column of COLUMNS)
    await before.run(`ALTER TABLE "group" ADD COLUMN "${column}" ${type}`)
  return world(provider, MEMBERS, { init: false, on: before })
}

/** What the database has. */
export const stored = ({ plain }: World): Promise<any[]> =>
  plain.member.findMany({ orderBy: { id: 'asc' } })

/** What the columns of the members' indexes should hold: everything under one key. */
export async function expectedIndexes(w: World, keyId: number): Promise<any[]> {
  const view = await w.keyring.index.view()
  const hash = (column: string, names: any[], text: string | null): string | null =>
    text === null ? null : indexValue(view.key(`Member.${column}`, keyId), normalize(names, text))
  return (await w.sealed.member.findMany({ orderBy: { id: 'asc' } })).map((row: any) => ({
    id: row.id,
    emailIndex: hash('emailIndex', ['trim', 'lowercase'], row.email),
    phoneIndex: hash('phoneIndex', ['digits'], row.phone),
  }))
}

export async function storedIndexes(w: World): Promise<any[]> {
  const select = { id: true, emailIndex: true, phoneIndex: true }
  return w.plain.member.findMany({ select, orderBy: { id: 'asc' } })
}

export function activeIndexKey({ keyring }: World): number {
  return keyring.index.keys().find(({ state }) => state === 'active')!.keyId
}
