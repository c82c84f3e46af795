import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSealed, PROVIDERS, sql, type Provider, type SealedDatabase } from './databases.ts'

/** Every way in which a database is known to quote what it was given, or what it holds. */

const schema = (provider: Provider): string => `
model Person {
  id        Int     @id
  size      Int?
  day       DateTime?
  /// @encrypted
  name      String? @unique ${provider === 'mysql' ? '@db.VarChar(700)' : ''}
  /// @blindIndex(name)
  nameIndex String? @unique
  /// @encrypted(seal: off)
  open      String?
  /// @encrypted
  doc       Json?
  /// @encrypted
  bin       Bytes?
  ${provider === 'postgresql' ? '/// @encrypted\n  words String[]\n  /// @encrypted\n  bins Bytes[]' : ''}
}
`

const SECRET = 'SECRETVALUE'
const PERSON = { id: 1, name: SECRET, open: SECRET, doc: { a: SECRET }, bin: Buffer.from(SECRET) }
const LISTS = { words: [SECRET], bins: [Buffer.from(SECRET)] }

type Call = (db: any, base: any) => Promise<unknown>
type Case = readonly [name: string, code: string, alter: string | readonly string[], call: Call]

const create: Call = (db) => db.person.create({ data: PERSON })
const updateAll =
  (data: object): Call =>
  (db) =>
    db.person.updateMany({ data })
const readAfter =
  (statement: string): Call =>
  async (db, base) => {
    await db.person.create({ data: PERSON })
    for (const one of statement.split(';')) await base.$executeRawUnsafe(one)
    await db.person.findMany()
  }

const EVERYWHERE: readonly Case[] = [
  ['one envelope in a unique', 'P2002', '', updateAll({ name: SECRET })],
  [
    'one hash in a unique',
    'P2002',
    [
      'ALTER TABLE "Person" RENAME COLUMN "name" TO "former"',
      'ALTER TABLE "Person" ADD COLUMN "name" text',
    ],
    updateAll({ name: SECRET }),
  ],
  [
    'an interactive transaction',
    'P2002',
    '',
    (db) => db.$transaction((tx: any) => tx.person.updateMany({ data: { name: SECRET } })),
  ],
  [
    'a batch',
    'P2002',
    '',
    (db) => db.$transaction([db.person.count(), db.person.updateMany({ data: { name: SECRET } })]),
  ],
]

const CASES: Readonly<Record<Provider, readonly Case[]>> = {
  postgresql: [
    ['a unique over bytes', 'P2002', 'CREATE UNIQUE INDEX u ON "Person" (bin)', updateAll(PERSON)],
    ['a column too short', 'P2000', 'ALTER TABLE "Person" ALTER name TYPE varchar(9)', create],
    [
      'a row that a check refuses',
      'P2039',
      'ALTER TABLE "Person" ADD CHECK (name IS NULL)',
      (db) => db.person.create({ data: { ...PERSON, ...LISTS } }),
    ],
    [
      'a message of a trigger',
      'P2039',
      [
        `CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN
           IF NEW.name IS NOT NULL THEN RAISE EXCEPTION 'no %: %, %, %', NEW.id, NEW.name, NEW."nameIndex", NEW.bin
             USING HINT = encode(NEW.bin, 'base64'), DETAIL = NEW.doc; END IF;
         RETURN NEW; END $$ LANGUAGE plpgsql`,
        'CREATE TRIGGER t BEFORE INSERT ON "Person" FOR EACH ROW EXECUTE FUNCTION f()',
      ],
      create,
    ],
    ['a number wanted', 'P2007', 'ALTER TABLE "Person" ALTER name TYPE int USING NULL', create],
    [
      'a uuid wanted in a look-up',
      'P2007',
      'ALTER TABLE "Person" ALTER "nameIndex" TYPE uuid USING NULL',
      (db) => db.person.findUnique({ where: { name: SECRET } }),
    ],
    [
      'bytes wanted, a text read',
      'P2023',
      '',
      readAfter(`ALTER TABLE "Person" ALTER bin TYPE text USING 'SECRETVALUE ' || name`),
    ],
    [
      'a number wanted, an envelope read',
      'P2023',
      '',
      readAfter('ALTER TABLE "Person" ALTER size TYPE text USING name'),
    ],
  ],
  sqlite: [
    ['a unique over bytes', 'P2002', 'CREATE UNIQUE INDEX u ON "Person" (bin)', updateAll(PERSON)],
    [
      'a function in a trigger',
      'P2039',
      `CREATE TRIGGER t BEFORE INSERT ON "Person" WHEN NEW.name IS NOT NULL BEGIN SELECT json_extract('{}', NEW.name); END`,
      create,
    ],
    [
      'bytes wanted, a text read',
      'P2023',
      '',
      readAfter(`UPDATE "Person" SET bin = 'SECRETVALUE ' || name`),
    ],
    [
      'a number wanted, an envelope read',
      'P2023',
      '',
      readAfter('UPDATE "Person" SET size = name'),
    ],
  ],
  mysql: [
    [
      'a unique over bytes',
      'P2002',
      'CREATE UNIQUE INDEX u ON "Person" (bin(100))',
      updateAll({ bin: PERSON.bin }),
    ],
    [
      'a unique over Json',
      'P2002',
      'CREATE UNIQUE INDEX u ON "Person" (doc(100))',
      updateAll({ doc: PERSON.doc }),
    ],
    [
      'a unique over what is not sealed',
      'P2002',
      'CREATE UNIQUE INDEX u ON "Person" (size, open(100))',
      updateAll({ open: `${SECRET}' for key `, size: 1 }),
    ],
    ['a column too short', 'P2000', 'ALTER TABLE "Person" MODIFY name varchar(9)', create],
    ['a number wanted', 'P2039', 'ALTER TABLE "Person" MODIFY name int', create],
    ['a date wanted', 'P2039', 'ALTER TABLE "Person" MODIFY name datetime', create],
    ['a number wanted for bytes', 'P2039', 'ALTER TABLE "Person" MODIFY bin int', create],
    ['a text wanted for bytes', 'P2039', 'ALTER TABLE "Person" MODIFY bin varchar(999)', create],
    [
      'a computed column',
      'P2039',
      'ALTER TABLE "Person" ADD q int AS (CAST(name AS INT)) STORED',
      create,
    ],
    [
      'a message of a trigger',
      'P2039',
      `CREATE TRIGGER t BEFORE INSERT ON "Person" FOR EACH ROW IF NEW.name IS NOT NULL THEN
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = NEW."nameIndex"; END IF`,
      create,
    ],
    [
      'a number wanted, an envelope read',
      'P2023',
      '',
      readAfter('ALTER TABLE `Person` MODIFY size text; UPDATE `Person` SET size = name'),
    ],
  ],
}

describe.each(PROVIDERS)('an error of Prisma on %s', (provider) => {
  let sealed: SealedDatabase
  beforeEach(async () => {
    sealed = await openSealed(provider, schema(provider))
    await sealed.prisma.person.createMany({ data: [{ id: 101 }, { id: 102 }] })
  })
  afterEach(() => sealed.close())

  async function errorOf(call: Call): Promise<any> {
    const error: any = await call(sealed.prisma, sealed.base).then(
      () => expect.unreachable('nothing was thrown'),
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(Error)
    const said = inspect(error, { depth: 20, showHidden: true, maxStringLength: null })
    // The call is quoted from this file, which holds no value.
    expect(said).not.toMatch(/SECRETVALUE|r[si]1\.|525301|UlMB|RS\\|'\\x|52 53 01/)
    return error
  }

  it.each([...EVERYWHERE, ...CASES[provider]])(
    'does not show values of %s',
    async (_, code, alter, call) => {
      for (const statement of [alter].flat()) {
        if (statement !== '') await sealed.base.$executeRawUnsafe(sql(provider, statement))
      }
      const error = await errorOf(call)
      expect(error.code).toBe(code)
      expect(error.stack).toContain('    at ')
    },
  )

  it('does not show a stored text that is no Json', async () => {
    const text = `'${SECRET}'`
    const alter = {
      postgresql: `ALTER TABLE "Person" ALTER doc TYPE text USING ${text}`,
      sqlite: `UPDATE "Person" SET doc = ${text}`,
      mysql: `ALTER TABLE "Person" MODIFY doc text;UPDATE "Person" SET doc = ${text}`,
    }[provider]
    const error = await errorOf(readAfter(sql(provider, alter)))
    expect(error.message).toContain('A stored value is no JSON.')
  })

  it('prints the arguments that Prisma refuses without their values', async () => {
    const error = await errorOf((db) =>
      db.person.create({ data: { ...PERSON, size: 'SECRET' + 'VALUE', day: 1234567 } }),
    )
    expect(error.name).toBe('PrismaClientValidationError')
    expect(error.message).toContain('size: "…"')
    expect(error.message).toContain('day: …')
    expect(error.message).toMatch(/Argument `\w+`: Invalid value provided\. Expected /)
    expect(error.message).not.toContain('1234567,')
    const looked = await errorOf((db) =>
      db.person.findMany({ where: { name: PERSON.name, size: PERSON.name } }),
    )
    expect(looked.message).toContain('nameIndex: "…"')
  })
})
