import { afterAll, describe, it } from 'vitest'
import {
  OURS,
  datasource,
  expectProblems,
  newFolder,
  prismaGenerate,
  remove,
} from './prisma-generate.ts'

const dir = newFolder()
afterAll(() => remove(dir))

/** Lines of models under generator (1–4) and datasource (5–7); the first is line 8. */
async function refused(provider: string, models: string, expected: Record<string, string>) {
  const text = `${OURS}${datasource(provider)}${models}`
  expectProblems(await prismaGenerate(dir, { 'schema.prisma': text }), expected)
}

const INVALID = '[ERR_ANNOTATION_INVALID]'
const UNSUPPORTED = '[ERR_FIELD_UNSUPPORTED]'

describe('prisma generate', () => {
  it('reports every annotation that cannot be honoured, on PostgreSQL', async () => {
    await refused(
      'postgresql',
      `model Patient {
  id      String   @id @default(uuid())
  mail    String   @unique                       /// @encrypted
  clinic  Clinic   @relation(fields: [clinicId], references: [code])
  clinicId String                                /// @encrypted
  age     Int                                    /// @encrypted
  born    DateTime @updatedAt                    /// @encrypted
  price   Decimal                                /// @encrypted
  role    Role                                   /// @encrypted
  visits  Visit[]                                /// @encrypted
  token   String   @default(cuid())              /// @encrypted
  made    String   @default(dbgenerated("md5('x')")) /// @encrypted
  uuid    String   @db.Uuid                      /// @encrypted
  city    String   @db.Citext                    /// @encrypted
  xml     String   @db.Xml                       /// @encrypted
  bits    String   @db.Bit(8)                    /// @encrypted
  inet    String   @db.Inet                      /// @encrypted
  fixed   String   @db.Char(900)                 /// @encrypted
  short   String   @db.VarChar(133)              /// @encrypted
  padded  String   @db.VarChar(300)              /// @encrypted(pad: 200)
  bound   String                                 /// @encrypted(bind: [mail])
  index   String?                                /// @blindIndex(male)
  ignored String?  @ignore                       /// @encrypted
  shape   Unsupported("circle")?                 /// @encrypted
  one     String                                 /// @encrypted(id: "Patient.two")
  two     String                                 /// @encrypted
  slashes String                                 // @encrypted
  /// @Encrypted
  case    String
  ok      String   @db.Text                      /// @encrypted
}
model Clinic {
  code     String @unique                        /// @encrypted
  patients Patient[]
}
model Visit {
  a         String                               /// @encrypted
  b         String                               /// @encrypted
  c         String                               /// @encrypted
  patient   Patient @relation(fields: [patientId], references: [id])
  patientId String
  @@id([a, patientId])
  @@unique([b, patientId])
  @@index([c])
}
/// @encrypted
enum Role {
  DOCTOR
}
`,
      {
        [`schema.prisma:10 Patient.mail ${UNSUPPORTED}`]: '@unique cannot work',
        [`schema.prisma:12 Patient.clinicId ${UNSUPPORTED}`]: 'Patient.clinic joins on this field',
        [`schema.prisma:13 Patient.age ${UNSUPPORTED}`]: 'Int cannot be encrypted',
        [`schema.prisma:14 Patient.born ${UNSUPPORTED}`]: 'DateTime cannot be encrypted',
        [`schema.prisma:15 Patient.price ${UNSUPPORTED}`]: 'Decimal cannot be encrypted',
        [`schema.prisma:16 Patient.role ${UNSUPPORTED}`]: 'The enum Role cannot be encrypted',
        [`schema.prisma:17 Patient.visits ${UNSUPPORTED}`]: 'visits is a relation',
        [`schema.prisma:18 Patient.token ${UNSUPPORTED}`]: '@default(cuid()) is filled in after',
        [`schema.prisma:19 Patient.made ${UNSUPPORTED}`]: '@default(dbgenerated()) is filled in',
        [`schema.prisma:20 Patient.uuid ${UNSUPPORTED}`]: '@db.Uuid holds UUIDs only',
        [`schema.prisma:21 Patient.city ${UNSUPPORTED}`]: '@db.Citext compares without regard',
        [`schema.prisma:22 Patient.xml ${UNSUPPORTED}`]: '@db.Xml holds XML only',
        [`schema.prisma:23 Patient.bits ${UNSUPPORTED}`]: '@db.Bit(8) holds bits only',
        [`schema.prisma:24 Patient.inet ${UNSUPPORTED}`]: '@db.Inet holds network addresses',
        [`schema.prisma:25 Patient.fixed ${UNSUPPORTED}`]: '@db.Char(900) has a fixed length',
        [`schema.prisma:26 Patient.short ${UNSUPPORTED}`]: 'no value would fit',
        [`schema.prisma:27 Patient.padded ${UNSUPPORTED}`]: 'no value would fit',
        [`schema.prisma:28 Patient.bound ${INVALID}`]: 'bind: mail is encrypted itself',
        [`schema.prisma:29 Patient.index ${INVALID}`]: 'Patient has no field male',
        [`schema.prisma:30 Patient.ignored ${INVALID}`]: '@ignore',
        [`schema.prisma:31 Patient.shape ${INVALID}`]: 'Unsupported field',
        [`schema.prisma:33 Patient.two ${INVALID}`]: 'Patient.one has the id "Patient.two" too',
        [`schema.prisma:34 Patient.slashes ${INVALID}`]: 'Write three: /// @encrypted',
        [`schema.prisma:35 Patient.case ${INVALID}`]: 'Did you mean @encrypted?',
        [`schema.prisma:40 Clinic.code ${UNSUPPORTED}`]: 'Patient.clinic joins on this field',
        [`schema.prisma:44 Visit.a ${UNSUPPORTED}`]: 'part of the @@id',
        [`schema.prisma:45 Visit.b ${UNSUPPORTED}`]: '@@unique([b, patientId]) cannot work',
        [`schema.prisma:46 Visit.c ${UNSUPPORTED}`]: 'Remove @@index([c]).',
        [`schema.prisma:53 Role ${INVALID}`]: 'above the enum Role',
      },
    )
  })

  it('reports columns that are too short on MySQL', async () => {
    await refused(
      'mysql',
      `model Patient {
  id      String  @id /// @encrypted
  bare    String      /// @encrypted
  maybe   String?     /// @encrypted
  tiny    String  @db.TinyText /// @encrypted(pad: 128)
  fixed   String  @db.Char(255) /// @encrypted
  same    String  @db.VarChar(191) /// @encrypted
  blob    Bytes   @db.TinyBlob /// @encrypted(pad: 200)
  binary  Bytes   @db.Binary(255) /// @encrypted
  words   String  @db.Text /// @encrypted
  ok1     String  @db.Text /// @encrypted
  ok2     Bytes   /// @encrypted
  ok3     Json    /// @encrypted
  ok4     String  @db.VarChar(255) /// @encrypted
  ok5     Bytes   @db.VarBinary(400) /// @encrypted
  @@fulltext([words])
}
`,
      {
        [`schema.prisma:9 Patient.id ${UNSUPPORTED}`]: 'The field is the @id',
        [`schema.prisma:10 Patient.bare ${UNSUPPORTED}`]: 'values of up to 43 bytes would fit',
        [`schema.prisma:11 Patient.maybe ${UNSUPPORTED}`]: 'Fix: Add @db.Text.',
        [`schema.prisma:12 Patient.tiny ${UNSUPPORTED}`]: '@db.TinyText is too short',
        [`schema.prisma:13 Patient.fixed ${UNSUPPORTED}`]: '@db.Char(255) has a fixed length',
        [`schema.prisma:14 Patient.same ${UNSUPPORTED}`]: '@db.VarChar(191) is too short',
        [`schema.prisma:15 Patient.blob ${UNSUPPORTED}`]: '@db.TinyBlob is too short',
        [`schema.prisma:16 Patient.binary ${UNSUPPORTED}`]: '@db.Binary(255) has a fixed length',
        [`schema.prisma:17 Patient.words ${UNSUPPORTED}`]: '@@fulltext([words]) cannot work',
      },
    )
  })

  it.each(['sqlserver', 'cockroachdb'])(
    'refuses the provider %s, and still reports the rest',
    async (provider) => {
      await refused(
        provider,
        'model A {\n  id Int @id\n  /// @encrypted(mode: strict)\n  b String\n}\nmodel B {\n  id Int @id\n  c String /// @encrypted\n  @@ignore\n}\n',
        {
          [`schema.prisma:5 ${UNSUPPORTED}`]: `does not support the provider ${provider}`,
          [`schema.prisma:10 A.b ${INVALID}`]: '@encrypted has no option mode',
          [`schema.prisma:15 B.c ${INVALID}`]: '@@ignore',
        },
      )
    },
  )

  it('refuses settings it does not have, views, and an output that a later generator empties', async () => {
    const generators = `generator rowseal {
  provider = "rowseal-generator"
  output = "./client/rowseal.ts"
  strict = "yes"
}
generator client {
  provider = "prisma-client"
  output = "./client"
  previewFeatures = ["views"]
}
`
    const text = `${generators}${datasource('sqlite')}model A {\n  id Int @id\n}\nview V {\n  id Int @unique\n  b String /// @encrypted\n}\n`
    const run = await prismaGenerate(dir, { 'schema.prisma': text }, { plan: 'client/rowseal.ts' })
    expectProblems(run, {
      [`schema.prisma:1 ${INVALID}`]: 'Move generator rowseal below generator client',
      [`schema.prisma:19 V.b ${INVALID}`]: 'V is a view',
    })
  })

  it.each(['./rowseal', './rowseal.cjs', './rowseal.d.ts'])(
    'refuses the output %s',
    async (output) => {
      const text = `${OURS.replace('./rowseal.ts', output)}${datasource('sqlite')}model A {\n  id Int @id\n}\n`
      expectProblems(await prismaGenerate(dir, { 'schema.prisma': text }), {
        [`schema.prisma:1 ${INVALID}`]: 'ends in .ts, .mts, .js or .mjs',
      })
    },
  )
})
