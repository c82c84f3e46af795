import { afterAll, describe, expect, it } from 'vitest'
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

const generate = (provider: string, models: string) =>
  prismaGenerate(dir, { 'schema.prisma': `${OURS}${datasource(provider)}${models}` })

const clinics = `
model Clinic {
  id       String    @id @default(uuid(7)) @db.Uuid
  code     Int       @unique
  patients Patient[]
  wards    Ward[]
}
model Ward {
  clinicId String @db.Uuid
  number   Int
  clinic   Clinic @relation(fields: [clinicId], references: [id])
  patients Patient[]
  @@id([clinicId, number])
}
model Patient {
  id       String   @id @default(cuid(2))
  clinicId String   @db.Uuid
  clinic   Clinic   @relation(fields: [clinicId], references: [id], onUpdate: Restrict)
  wardNo   Int
  ward     Ward     @relation(fields: [clinicId, wardNo], references: [clinicId, number], onUpdate: NoAction, onDelete: Cascade)
  short    String   @default("a") @db.VarChar(10)
  number   BigInt   @default(9007199254740993)
  active   Boolean  @default(true)
  kind     Kind     @default(IN)
  rank     Int      @default(-1)
  tag      String   @default(nanoid(10))
  old      String   @default(cuid())
  sorted   String   @default(ulid())
  free     Int
  /// @encrypted(bind: [clinicId, id, short, number, active, kind, rank, tag, old, sorted])
  notes    String?
  /// @encrypted(bind: [id])
  scan     Bytes?
  friends  Patient[] @relation("friends")
  friendOf Patient[] @relation("friends")
  visits   Visit[]
}
model Visit {
  id        Int     @id @default(autoincrement())
  patientId String
  patient   Patient @relation(fields: [patientId], references: [id], onUpdate: Restrict)
  /// @encrypted(bind: [patientId])
  finding   String
  nextId    Int?    @unique
  next      Visit?  @relation("order", fields: [nextId], references: [id])
  before    Visit?  @relation("order")
}
model Folder {
  id       String   @id @default(ulid())
  parentId String
  parent   Folder   @relation("tree", fields: [parentId], references: [id], onUpdate: Restrict)
  folders  Folder[] @relation("tree")
  /// @encrypted(bind: [parentId])
  title    String
}
enum Kind {
  IN
  OUT
}
`

describe('bound columns', () => {
  it('are in the plan, with what fills them in and what sets them', async () => {
    const run = await generate('postgresql', clinics)
    expect(run.stderr).not.toContain('Error')
    const { plan } = await run.importPlan()
    const { Clinic, Ward, Patient, Visit, Folder } = plan.models
    expect(Patient.bound).toEqual({
      id: { type: 'String', generate: { name: 'cuid', argument: 2 } },
      clinicId: { type: 'Uuid' },
      short: { type: 'String', maxChars: 10, default: 'a' },
      number: { type: 'BigInt', default: '9007199254740993' },
      active: { type: 'Boolean', default: true },
      kind: { type: 'Enum', default: 'IN' },
      rank: { type: 'Int', default: -1 },
      tag: { type: 'String', generate: { name: 'nanoid', argument: 10 } },
      old: { type: 'String', generate: { name: 'cuid', argument: 1 } },
      sorted: { type: 'String', generate: { name: 'ulid' } },
    })
    expect(Clinic.bound).toEqual({ id: { type: 'Uuid', generate: { name: 'uuid', argument: 7 } } })
    expect(Ward.bound).toEqual({ clinicId: { type: 'Uuid' } })
    expect(Visit.bound).toEqual({ patientId: { type: 'String' } })
    expect(Clinic.relations).toEqual({
      patients: { model: 'Patient', list: true, boundThere: { clinicId: 'id' } },
      wards: { model: 'Ward', list: true },
    })
    expect(Ward.relations.patients.boundThere).toEqual({ clinicId: 'clinicId' })
    expect(Patient.relations).toEqual({
      clinic: { model: 'Clinic', list: false, boundHere: { clinicId: 'id' } },
      ward: { model: 'Ward', list: false, boundHere: { clinicId: 'clinicId' } },
      friends: { model: 'Patient', list: true },
      friendOf: { model: 'Patient', list: true },
      visits: { model: 'Visit', list: true, boundThere: { patientId: 'id' } },
    })
    expect(Visit.relations.next).toEqual({ model: 'Visit', list: false })
    expect(Folder.bound).toEqual({
      id: { type: 'String', generate: { name: 'ulid' } },
      parentId: { type: 'String' },
    })
    expect(Folder.relations).toEqual({
      parent: { model: 'Folder', list: false, boundHere: { parentId: 'id' } },
      folders: { model: 'Folder', list: true, boundThere: { parentId: 'id' } },
    })
  })

  it('say how much text they hold, on MySQL', async () => {
    const run = await generate(
      'mysql',
      `model A {
  id     String  @id @default(uuid())
  text   String  @db.Text
  short  String  @db.VarChar(5)
  long   String  @db.LongText
  bit    Boolean @db.Bit(1)
  number Int     @db.UnsignedSmallInt
  /// @encrypted(bind: [id, text, short, long, bit, number])
  value  Bytes?
}`,
    )
    expect(run.stderr).not.toContain('Error')
    expect((await run.importPlan()).plan.models.A.bound).toEqual({
      id: { type: 'String', maxChars: 191, generate: { name: 'uuid', argument: 4 } },
      text: { type: 'String', maxChars: 16_383 },
      short: { type: 'String', maxChars: 5 },
      long: { type: 'String' },
      bit: { type: 'Boolean' },
      number: { type: 'Int' },
    })
  })

  /** Line 7 opens the model below generator and datasource; each field has a line. */
  it('are refused if what they hold may change or look different', async () => {
    const fields = [
      'nothing',
      'own',
      'list',
      'maybe',
      'other',
      'hidden',
      'mailIndex',
      'price',
      'real',
      'born',
      'moved',
      'data',
      'blob',
      'fixed',
      'folded',
      'counter',
      'made',
      'mapped',
      'follows',
      'nulled',
      'generated',
      'spelled',
    ]
    const lines = fields.map((name) => `  s${name} String? /// @encrypted(bind: [${name}])`)
    const run = await generate(
      'postgresql',
      `model P {
${lines.join('\n')}
  id        Int      @id
  own       String   /// @encrypted(bind: [own])
  list      String[]
  maybe     Int?
  otherId   Int
  other     O        @relation("a", fields: [otherId], references: [id])
  hidden    String   /// @encrypted
  mailIndex String?  @unique /// @blindIndex(hidden)
  price     Decimal
  real      Float
  born      DateTime
  moved     DateTime @updatedAt
  data      Json
  blob      Bytes
  fixed     String   @db.Char(5)
  folded    String   @db.Citext
  counter   Int      @default(autoincrement())
  made      String   @default(dbgenerated("md5('x')"))
  mapped    Mapped
  follows   Int
  b         O        @relation("b", fields: [follows], references: [id])
  nulled    Int
  c         O        @relation("c", fields: [nulled], references: [id], onUpdate: NoAction, onDelete: SetDefault)
  generated String   @default(uuid())
  d         N        @relation("d", fields: [generated], references: [id], onUpdate: Restrict)
  spelled   String
  e         N        @relation("e", fields: [spelled], references: [code], onUpdate: Restrict)
}
model O {
  id Int @id
  a  P[] @relation("a")
  b  P[] @relation("b")
  c  P[] @relation("c")
}
model N {
  id   String @id
  code String @unique @db.Citext
  d    P[]    @relation("d")
  e    P[]    @relation("e")
}
enum Mapped {
  SAME
  OTHER @map("other")
}`,
    )
    const at = (name: string): string => {
      const line = 8 + fields.indexOf(name) + 1
      return `schema.prisma:${line} P.s${name} [ERR_ANNOTATION_INVALID]`
    }
    expectProblems(run, {
      [at('nothing')]: 'P has no field nothing.',
      [`schema.prisma:${8 + fields.length + 2} P.own [ERR_ANNOTATION_INVALID]`]: 'bound to itself',
      [at('own')]: 'own is encrypted itself',
      [at('list')]: 'list is a list',
      [at('maybe')]: 'Declare maybe as Int',
      [at('other')]: 'Write otherId instead',
      [at('hidden')]: 'hidden is encrypted itself',
      [at('mailIndex')]: 'mailIndex is a blind index',
      [at('price')]: 'price is Decimal',
      [at('real')]: 'real is Float',
      [at('born')]: 'born is DateTime',
      [at('moved')]: 'moved is @updatedAt',
      [at('data')]: 'data is Json',
      [at('blob')]: 'blob is Bytes',
      [at('fixed')]: '@db.Char, which may not give back',
      [at('folded')]: '@db.Citext, which may not give back',
      [at('counter')]: '@default(autoincrement())',
      [at('made')]: '@default(dbgenerated())',
      [at('mapped')]: 'value OTHER has another name',
      [at('follows')]: 'Write onUpdate: Restrict (or NoAction) in the @relation of P.b.',
      [at('nulled')]: 'Write onDelete: Restrict, NoAction or Cascade in the @relation of P.c.',
      [at('generated')]: 'has an id as its @default',
      [at('spelled')]: 'refers to N.code',
    })
  })
})
