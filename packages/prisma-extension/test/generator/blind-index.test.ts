import { afterAll, describe, expect, it } from 'vitest'
import { generatedClient } from '@rowseal/test-support'
import { OURS, datasource, newFolder, prismaGenerate, remove } from './prisma-generate.ts'

const LONG = 'anExtraordinarilyLongColumnNameThatNobodyWouldWrite'

const people = `
model Person {
  id         Int     @id
  tenantId   Int
  /// @encrypted
  mail       String  @unique
  /// @blindIndex(mail, normalize: [trim, email])
  mailIndex  String? @unique @map("mail_index")
  /// @blindIndex(mail, normalize: [trim, email], slot: 2)
  mailIndex2 String? @unique
  /// @encrypted
  name       String?
  /// @blindIndex(name, id: "Person.formerIndex")
  nameIndex  String?
  /// @encryption:hash(name)?normalize=lowercase
  nameLower  String?
  /// @encrypted
  code       String
  /// @blindIndex(code)
  codeIndex  String? @db.VarChar(77)
  /// @encrypted
  word       String
  /// @blindIndex(word)
  ${LONG} String? @unique
  /// @blindIndex(word, normalize: [nfc])
  ${LONG}é String?
  @@unique([tenantId, code])
  @@unique([codeIndex, tenantId], map: "one_code")
  @@unique([tenantId, ${LONG}])
  @@index([nameIndex])
  @@map("people")
}
`.replace(`${LONG}é`, 'wordIndex')

describe('blind indexes', () => {
  const dir = newFolder()
  afterAll(() => remove(dir))

  it('are in the plan, with the names their constraints have in the database', async () => {
    const text = `${OURS}${datasource('postgresql')}${people}`
    const run = await prismaGenerate(dir, { 'schema.prisma': text })
    expect(run.stderr).not.toContain('Error')
    const { plan } = await run.importPlan()
    const { indexes, constraints, key } = plan.models.Person
    const mail = { field: 'mail', normalize: ['trim', 'email'], unique: true }
    expect(key).toEqual(['id'])
    expect(indexes).toEqual({
      mailIndex: { ...mail, id: 'Person.mailIndex', slot: 1 },
      mailIndex2: { ...mail, id: 'Person.mailIndex2', slot: 2 },
      nameIndex: { field: 'name', id: 'Person.formerIndex', normalize: [], slot: 1, unique: false },
      nameLower: {
        field: 'name',
        id: 'Person.nameLower',
        normalize: ['lowercase'],
        slot: 1,
        unique: false,
      },
      codeIndex: { field: 'code', id: 'Person.codeIndex', normalize: [], slot: 1, unique: true },
      [LONG]: { field: 'word', id: `Person.${LONG}`, normalize: [], slot: 1, unique: true },
      wordIndex: {
        field: 'word',
        id: 'Person.wordIndex',
        normalize: ['nfc'],
        slot: 1,
        unique: false,
      },
    })
    const { ddl } = await generatedClient({ provider: 'postgresql', schema: people })
    const created = [...ddl.matchAll(/CREATE UNIQUE INDEX "([^"]+)"/g)].map(([, name]) => name)
    expect(created).toEqual(expect.arrayContaining(Object.keys(constraints)))
    expect(Object.keys(constraints).sort()).toEqual(created.sort())
    expect(Object.values(constraints)).toContainEqual(['codeIndex', 'tenantId'])
    const warnings = run.stdout.split('\n').filter((line) => line.startsWith('rowseal: '))
    expect(warnings.map((line) => line.split(':')[1]?.trim())).toEqual([
      'Person.nameLower',
      'Person.wordIndex',
    ])
  })

  it('are refused under a unique over a part of them', async () => {
    const model = `model A {\n  id Int @id\n  text String @db.Text /// @encrypted\n  /// @blindIndex(text)\n  x String?\n  /// @blindIndex(text, normalize: [trim])\n  y String?\n  @@unique([x(length: 10)])\n}\n`
    const run = await prismaGenerate(dir, {
      'schema.prisma': `${OURS}${datasource('mysql')}${model}`,
    })
    expect(run.stderr).toContain('over the first characters of x')
    const previews =
      'generator client {\n  provider = "prisma-client"\n  output = "./c"\n  previewFeatures = ["partialIndexes"]\n}\n'
    const partial = model.replace('(length: 10)', '').replace('[x]', '[x], where: raw("y is null")')
    const second = await prismaGenerate(dir, {
      'schema.prisma': `${previews}${OURS}${datasource('postgresql')}${partial}`,
    })
    expect(second.plan).toBeNull()
    expect(second.stderr).toContain('guards some rows only')
  })

  it.each([
    ['no field', '/// @blindIndex(nothing)\n  x String?', 'A has no field nothing'],
    ['a plain field', '/// @blindIndex(plain)\n  x String?', 'A.plain is not encrypted'],
    ['Json', '/// @blindIndex(json)\n  x String?', 'A.json is Json'],
    ['a list', '/// @blindIndex(list)\n  x String?', 'A.list is String[]'],
    [
      'an unknown normalizer',
      '/// @blindIndex(text, normalize: [lowercse])\n  x String?',
      'Did you mean lowercase?',
    ],
    ['a required column', '/// @blindIndex(text)\n  x String', 'Declare it as x String?'],
    ['a default', '/// @blindIndex(text)\n  x String? @default("")', 'Remove @default'],
    [
      'a short column',
      '/// @blindIndex(text)\n  x String? @db.VarChar(76)',
      'texts of 77 characters',
    ],
    [
      'a padded column',
      '/// @blindIndex(text)\n  x String? @db.Char(77)',
      'x String? @db.VarChar(77)',
    ],
    [
      'two of the same',
      '/// @blindIndex(text)\n  x String?\n  /// @blindIndex(text)\n  y String?',
      'A.y is the same index',
    ],
    [
      'a second column without a first',
      '/// @blindIndex(text, slot: 2)\n  x String?',
      'has no first one',
    ],
    [
      'a second column of an index that is not unique',
      '/// @blindIndex(text)\n  x String?\n  /// @blindIndex(text, slot: 2)\n  y String? @unique',
      'x is not unique',
    ],
    [
      'a second column that is not unique',
      '/// @blindIndex(text)\n  x String? @unique\n  /// @blindIndex(text, slot: 2)\n  y String?',
      'Write @unique behind y.',
    ],
    [
      'a second column without the compound unique',
      '/// @blindIndex(text)\n  x String?\n  /// @blindIndex(text, slot: 2)\n  y String? @unique\n  @@unique([plain, x])',
      'Add @@unique([plain, y]).',
    ],
    [
      'an id that is taken',
      '/// @blindIndex(text)\n  x String?\n  /// @blindIndex(text, normalize: [trim], id: "A.x")\n  y String?',
      'A.x has the id "A.x" too',
    ],
    [
      'a unique field without a unique index',
      'other String @unique /// @encrypted\n  /// @blindIndex(other)\n  x String?',
      'add a blind index: /// @blindIndex(other) above otherIndex String? @unique',
    ],
    [
      'a compound unique without its index',
      '@@unique([plain, text])',
      '@@unique([plain, textIndex])',
    ],
  ])('are refused over %s', async (_, lines, part) => {
    const model = `model A {\n  id Int @id\n  plain String\n  text String /// @encrypted\n  json Json /// @encrypted\n  list String[] /// @encrypted\n  ${lines}\n}\n`
    const run = await prismaGenerate(dir, {
      'schema.prisma': `${OURS}${datasource('postgresql')}${model}`,
    })
    expect(run.plan).toBeNull()
    expect(run.stderr).toContain(part)
  })
})
