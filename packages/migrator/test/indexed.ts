import { openKeyring, rowseal, type KeyringOptions } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { generatedClient } from '@rowseal/test-support'
import { afterWorld, world, type Provider, type World } from './world.ts'

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
  const mark = provider === 'mysql' ? '`' : '"'
  const type = provider === 'mysql' ? 'VARCHAR(191)' : 'TEXT'
  for (const column of COLUMNS)
    await before.run(`ALTER TABLE ${mark}group${mark} ADD COLUMN ${mark}${column}${mark} ${type}`)
  return upgraded(before, MEMBERS)
}

/** The same database under another schema. */
export async function upgraded(
  before: World,
  schema: string,
  options: Partial<KeyringOptions> = {},
): Promise<World> {
  const { db, provider, rootKey } = before
  const generated = await generatedClient({ provider, schema })
  const connect = async (): Promise<any> => {
    const client = new generated.PrismaClient({ adapter: db.adapter() })
    afterWorld(() => client.$disconnect())
    const root = localRootKey({ key: rootKey })
    const keyring = await openKeyring({ root, store: sqlKeyStore(client), ...options })
    return { client, plan: generated.plan, keyring }
  }
  const config = await connect()
  const { client, plan, keyring } = config
  return {
    ...before,
    config,
    keyring,
    plain: client,
    sealed: client.$extends(rowseal({ plan, keyring, reencryption: false })),
    dir: generated.dir,
    another: connect,
  }
}

/** What the database has. */
export const stored = ({ plain }: World): Promise<any[]> =>
  plain.member.findMany({ orderBy: { id: 'asc' } })
