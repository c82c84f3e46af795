import type { Provider } from '../client/databases.ts'

/** The sealed schema; without annotations and index columns it is the plain one. */
export function schemaOf(provider: Provider): string {
  const text = provider === 'mysql' ? ' @db.Text' : ''
  const short = provider === 'mysql' ? ' @db.VarChar(300)' : ''
  return `
model Person {
  id         Int      @id
  tenantId   Int      @default(1)
  plain      String?
  /// @encrypted
  email      String   @unique${short}
  /// @blindIndex(email)
  emailIndex String?  @unique
  /// @encrypted
  code       String?${short}
  /// @blindIndex(code)
  codeIndex  String?
  /// @encrypted
  name       String?${text}
  /// @blindIndex(name)
  nameIndex  String?
  /// @encrypted
  lower      String?${text}
  /// @blindIndex(lower, normalize: [lowercase])
  lowerIndex String?
  /// @encrypted
  secret     String?${text}
  /// @encrypted
  json       Json?
  ${provider === 'postgresql' ? '/// @encrypted\n  tags String[]' : ''}
  bossId     Int?
  boss       Person?  @relation("boss", fields: [bossId], references: [id])
  reports    Person[] @relation("boss")
  notes      Note[]
  profile    Profile?
  @@unique([tenantId, code])
  @@unique([tenantId, codeIndex])
}
model Note {
  id       Int     @id
  personId Int?
  person   Person? @relation(fields: [personId], references: [id])
  /// @encrypted
  key      String  @unique${short}
  /// @blindIndex(key)
  keyIndex String? @unique
  /// @encrypted
  text     String?${text}
}
model Profile {
  id        Int     @id
  personId  Int     @unique
  person    Person  @relation(fields: [personId], references: [id])
  /// @encrypted
  nick      String?${text}
  /// @blindIndex(nick)
  nickIndex String?
}
`
}

export function plainSchemaOf(provider: Provider): string {
  return schemaOf(provider)
    .split('\n')
    .filter((line) => !/\/\/\/|Index/.test(line))
    .join('\n')
}

/** The same rows for both twins. */
export async function fill(db: any, provider: Provider): Promise<void> {
  const tags = (list: string[]) => (provider === 'postgresql' ? { tags: list } : {})
  await db.person.create({
    data: {
      id: 1,
      email: 'a@x',
      code: 'c1',
      name: 'Ann',
      lower: 'Ann',
      secret: 's1',
      json: { a: 1 },
      plain: 'Ann',
      ...tags(['x', 'y']),
      notes: {
        create: [
          { id: 1, key: 'k1', text: 't1' },
          { id: 2, key: 'k2' },
        ],
      },
      profile: { create: { id: 1, nick: 'n1' } },
    },
  })
  await db.person.create({
    data: {
      id: 2,
      email: 'b@x',
      code: 'c2',
      name: 'Bob',
      lower: 'ann',
      plain: 'x',
      bossId: 1,
      notes: { create: { id: 3, key: 'k3', text: 't3' } },
    },
  })
  await db.person.create({ data: { id: 3, email: 'c@x', name: 'Ann', tenantId: 2, bossId: 1 } })
  await db.person.create({ data: { id: 4, email: 'd@x' } })
}
