import { statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkPlan } from '../../src/plan/index.ts'
import { OURS, datasource, newFolder, prismaGenerate, remove } from './prisma-generate.ts'
import type { Run } from './prisma-generate.ts'

const client = (provider: string, output: string) =>
  `generator client {\n  provider = "${provider}"\n  output = "${output}"\n  previewFeatures = ["views"]\n}\n`

const people = `
/// Somebody. Mail to ada@example.org, @see https://example.org
model Person {
  id      Int      @id @default(autoincrement()) @map("person_id")
  /// @encrypted
  mail    String   @map("e_mail")
  /// @encrypted(plaintext: allow, pad: 32, keyring: "clinic", id: "Old.note")
  note    Json?    @default("{\\"it's\\": [1]}")
  photo   Bytes    @default("aGVsbG8=") /// @encrypted
  /// Nicknames.
  /// @encrypted?mode=readonly
  names   String[] @default(["a'b", "\\u2028\\\\"])
  forms   Json[]   /// @encrypted
  short   String   @db.VarChar(300) /// @encrypted
  born    DateTime @default(now())
  role    Role     @default(USER)
  visits  Visit[]
  hidden  String?  @ignore

  @@map("people")
  @@schema("auth")
}
`
const visits = `
enum Role {
  USER
  ADMIN @map("the \\"admin\\"")
  @@schema("auth")
}

model Grant {
  role Role
  by   Role
  no   Int
  @@id([role, no])
  @@schema("auth")
}

model Visit {
  year        Int
  number      Int
  person      Person @relation(fields: [personId], references: [id])
  personId    Int
  constructor String /// @encrypted
  code        String

  @@id([year, number])
  @@unique([number, personId], name: "byPerson")
  @@unique([code, year], map: "named_in_the_database_only")
  @@unique([code])
  @@schema("public")
}

model Uniques {
  a String? @unique
  b String
  c Int
  @@unique([a, b])
  @@unique([c, b])
  @@schema("public")
}

view Shown {
  mail String @unique
  @@schema("public")
}
`
const EXPECTED = {
  Person: {
    table: 'people',
    schema: 'auth',
    key: ['id'],
    columns: {
      id: { type: 'Int', column: 'person_id' },
      mail: { type: 'String', column: 'e_mail' },
      note: { type: 'Json', column: 'note' },
      photo: { type: 'Bytes', column: 'photo' },
      names: { type: 'String', column: 'names' },
      forms: { type: 'Json', column: 'forms' },
      short: { type: 'String', column: 'short' },
      born: { type: 'DateTime', column: 'born' },
      role: { type: 'Role', column: 'role' },
    },
    relations: { visits: { model: 'Visit', list: true } },
    uniques: {},
    sealed: {
      mail: sealed('Person.mail', {}),
      note: sealed('Old.note', {
        type: 'Json',
        nullable: true,
        plaintext: 'allow',
        pad: 32,
        keyring: 'clinic',
        default: '{"it\'s": [1]}',
      }),
      photo: sealed('Person.photo', { type: 'Bytes', default: 'aGVsbG8=' }),
      names: sealed('Person.names', {
        list: true,
        seal: 'off',
        plaintext: 'allow',
        default: ["a'b", '\u2028\\'],
      }),
      forms: sealed('Person.forms', { type: 'Json', list: true }),
      short: sealed('Person.short', {}),
    },
    indexes: {},
    constraints: {},
    bound: {},
  },
  Grant: {
    table: 'Grant',
    schema: 'auth',
    key: ['role', 'no'],
    columns: {
      // A key is looked for by what the database calls it.
      role: { type: 'Role', column: 'role', values: { ADMIN: 'the "admin"' } },
      by: { type: 'Role', column: 'by' },
      no: { type: 'Int', column: 'no' },
    },
    relations: {},
    uniques: { role_no: ['role', 'no'] },
    sealed: {},
    indexes: {},
    constraints: {},
    bound: {},
  },
  Visit: {
    table: 'Visit',
    schema: 'public',
    key: ['year', 'number'],
    columns: {
      year: { type: 'Int', column: 'year' },
      number: { type: 'Int', column: 'number' },
      personId: { type: 'Int', column: 'personId' },
      constructor: { type: 'String', column: 'constructor' },
      code: { type: 'String', column: 'code' },
    },
    relations: { person: { model: 'Person', list: false } },
    uniques: {
      year_number: ['year', 'number'],
      byPerson: ['number', 'personId'],
      code_year: ['code', 'year'],
    },
    sealed: { constructor: sealed('Visit.constructor', {}) },
    indexes: {},
    constraints: {},
    bound: {},
  },
  Uniques: {
    table: 'Uniques',
    schema: 'public',
    key: ['c', 'b'],
    columns: {
      a: { type: 'String', column: 'a' },
      b: { type: 'String', column: 'b' },
      c: { type: 'Int', column: 'c' },
    },
    relations: {},
    uniques: { a_b: ['a', 'b'], c_b: ['c', 'b'] },
    sealed: {},
    indexes: {},
    constraints: {},
    bound: {},
  },
  Shown: {
    table: 'Shown',
    schema: 'public',
    key: ['mail'],
    columns: { mail: { type: 'String', column: 'mail' } },
    relations: {},
    uniques: {},
    sealed: {},
    indexes: {},
    constraints: {},
    bound: {},
  },
}

function sealed(id: string, change: object): object {
  return {
    type: 'String',
    list: false,
    nullable: false,
    id,
    keyring: 'default',
    plaintext: 'refuse',
    seal: 'on',
    pad: 0,
    bind: [],
    ...change,
  }
}

/** The schema text that a generated client carries. */
async function textInClient(run: Run, path: string, provider: string): Promise<string> {
  const { PrismaClient } = await import(join(run.dir, path))
  const adapter = { provider, adapterName: 'none', connect: () => undefined }
  return new PrismaClient({ adapter })._engineConfig.inlineSchema
}

describe('a folder of schema files with prisma-client', () => {
  const dir = newFolder()
  const source = datasource('postgresql').replace('}', '  schemas = ["auth", "public"]\n}')
  const output = OURS.replace('./rowseal.ts', '../generated/rowseal.ts')
  const files = {
    'prisma/main.prisma': client('prisma-client', '../generated') + output + source,
    'prisma/models/people.prisma': people,
    'prisma/models/visits.prisma': visits,
  }
  const options = { schema: 'prisma', plan: 'generated/rowseal.ts' }
  let run: Run
  beforeAll(async () => {
    run = await prismaGenerate(dir, files, options)
  })
  afterAll(() => remove(dir))

  it('gives a plan with every model, column, relation, unique and annotation', async () => {
    expect(run.stderr).not.toContain('Error')
    const { plan } = await run.importPlan()
    expect(plan.models).toEqual(EXPECTED)
    expect(plan.provider).toBe('postgresql')
    expect(plan.source.format).toBe(2)
  })

  it('gives a plan that fits the schema text the client carries', async () => {
    const { plan } = await run.importPlan()
    const text = await textInClient(run, 'generated/client.ts', 'postgres')
    expect(text).toContain('/// @encrypted?mode=readonly')
    expect(() => checkPlan(plan, text)).not.toThrow()
    expect(() => checkPlan(plan, text.replace('/// @encrypted?mode=readonly', ''))).toThrow()
  })

  it('warns of defaults kept in plaintext and of short columns, and of nothing else', () => {
    const warnings = run.stdout.split('\n').filter((line) => line.startsWith('rowseal: '))
    expect(warnings.map((line) => line.split(':')[1]?.trim())).toEqual([
      'Person.note',
      'Person.photo',
      'Person.short',
    ])
    expect(warnings[2]).toContain('up to 125 bytes')
  })

  it('writes text that says where it is from, and is TypeScript and JavaScript alike', () => {
    expect(run.plan).toMatch(/^\/\/ Generated by rowseal-generator\. Do not edit/)
    expect(run.plan).not.toMatch(/\bas const\b|: \w+ =|^import type/m)
  })

  it('writes the same text again, and then leaves the file alone', async () => {
    const path = join(dir, 'elsewhere/rowseal.mjs')
    const moved = { ...files }
    moved['prisma/main.prisma'] = moved['prisma/main.prisma'].replace(
      '../generated/rowseal.ts',
      '../elsewhere/rowseal.mjs',
    )
    const again = { ...options, plan: 'elsewhere/rowseal.mjs' }
    expect((await prismaGenerate(dir, moved, again)).plan).toBe(run.plan)
    utimesSync(path, 1, 1)
    expect((await prismaGenerate(dir, moved, again)).plan).toBe(run.plan)
    expect(statSync(path).mtimeMs).toBe(1000)
  })

  it('removes the plan of an earlier run when the schema became wrong', async () => {
    const wrong = {
      ...files,
      'prisma/models/people.prisma': people.replace('@encrypted', '@encrypt'),
    }
    const failed = await prismaGenerate(dir, wrong, options)
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toContain('prisma/models/people.prisma:5  Person.mail')
    expect(failed.plan).toBeNull()
  })
})

describe('one schema file with prisma-client-js', () => {
  const dir = newFolder()
  afterAll(() => remove(dir))

  it('gives a plan that fits the client, whatever the line endings, at the default place', async () => {
    const schema =
      `${OURS.replace(/ {2}output.*\n/, '')}${client('prisma-client-js', './client')}${datasource('sqlite')}
model Note {
  id   String @id @default(uuid())
  text String? // two slashes, @see below
  /// @encrypted

  body Bytes?
}
`.replaceAll('\n', '\r\n')
    const files = { 'schema.prisma': schema }
    const run = await prismaGenerate(dir, files, { plan: 'generated/rowseal.ts' })
    expect(run.stderr).not.toContain('Error')
    const { plan } = await run.importPlan()
    expect(plan.models.Note.sealed).toEqual({
      body: sealed('Note.body', { type: 'Bytes', nullable: true }),
    })
    const text = await textInClient(run, 'client/index.js', 'sqlite')
    expect(() => checkPlan(plan, text)).not.toThrow()
  })

  it('never replaces or removes a file it did not write', async () => {
    writeFileSync(join(dir, 'rowseal.ts'), 'export const mine = 1\n')
    const text = `${OURS}${datasource('sqlite')}model A {\n  id Int @id\n}\n`
    const run = await prismaGenerate(dir, { 'schema.prisma': text })
    expect(run.stderr).toContain('output names rowseal.ts, which this generator did not write')
    expect(run.exitCode).toBe(1)
    expect(run.plan).toBe('export const mine = 1\n')
  })
})
