import { HAS, type Provider } from './databases.ts'

/** Values bound to ids of every kind, to foreign keys, and to columns with defaults. */
export const practice = (provider: Provider): string => {
  const uuid = provider === 'postgresql' ? ' @db.Uuid' : ''
  return `
enum Kind {
  IN
  OUT
}
model Tenant {
  id       Int       @id
  name     String?
  patients Patient[]
  wards    Ward[]
}
model Ward {
  tenantId Int
  number   Int
  tenant   Tenant    @relation(fields: [tenantId], references: [id])
  patients Patient[]
  @@id([tenantId, number])
}
model Patient {
  id        String   @id @default(uuid())${uuid}
  tenantId  Int
  tenant    Tenant   @relation(fields: [tenantId], references: [id], onUpdate: Restrict)
  wardNo    Int?
  ward      Ward?    @relation(fields: [tenantId, wardNo], references: [tenantId, number], onUpdate: NoAction, onDelete: NoAction)
  code      String   @unique
  active    Boolean  @default(true)
  kind      Kind     @default(IN)
  size      BigInt   @default(5000000000)
  /// @encrypted(bind: [id, tenantId])
  notes     Json?
  /// @encrypted(bind: [id])
  email     String   @default("none")
  /// @encrypted(bind: [active, kind, size])
  scan      Bytes?
  /// @encrypted
  phone     String?
  /// @encrypted(bind: [id])
  mail      String?  @unique
  /// @blindIndex(mail)
  mailIndex String?  @unique
  visits    Visit[]
  profile   Profile?
  labels    Label[]
}
model Visit {
  id        Int     @id
  patientId String${uuid}
  patient   Patient @relation(fields: [patientId], references: [id], onUpdate: Restrict, onDelete: Cascade)
  place     String  @default("here")
  /// @encrypted(bind: [patientId])
  finding   String?
  /// @encrypted(bind: [id])
  price     String?
}
model Profile {
  id        String  @id @default(cuid(2))
  patientId String  @unique${uuid}
  patient   Patient @relation(fields: [patientId], references: [id], onUpdate: Restrict)
  /// @encrypted(bind: [patientId, id])
  bio       String?
}
model Label {
  id       String    @id @default(nanoid(9))
  /// @encrypted(bind: [id])
  text     String
  patients Patient[]
}
model Defaulted {
  id       Int     @id
  word     String  @default("a word")
  /// @encrypted(bind: [word])
  value    String
}
${
  !HAS[provider].lists
    ? ''
    : `model Lists {
  id    Int      @id
  owner String
  /// @encrypted(bind: [owner])
  words String[]
}`
}`
}

export const A = '00000000-0000-4000-8000-00000000000a'
export const B = '00000000-0000-4000-8000-00000000000b'

/** Two tenants, and a patient of the first in each of A and B. */
export async function seed(prisma: any): Promise<void> {
  for (const model of ['profile', 'visit', 'patient', 'ward', 'tenant'])
    await prisma[model].deleteMany()
  await prisma.tenant.createMany({ data: [{ id: 1 }, { id: 2 }] })
  await prisma.patient.createMany({
    data: [
      { id: A, tenantId: 1, code: 'a', notes: 'of A', email: 'a', phone: 'p of A' },
      { id: B, tenantId: 1, code: 'b', notes: 'of B', email: 'b', phone: 'p of B' },
    ],
  })
}
