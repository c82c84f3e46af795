import { definePlan } from '@rowseal/prisma-extension/plan'
import { quote } from '@rowseal/prisma-extension/sql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drain, planDrain, reindex, verify, type MigratorConfig } from '../../src/index.ts'
import { closeWorlds, PROVIDERS, world, type Provider, type World } from '../world.ts'

afterAll(closeWorlds)

const model = (name: string, key = 'id Int @id'): string => `
model ${name} {
  ${key}
  /// @encrypted
  secret      String  @db.VarChar(500)
  /// @blindIndex(secret)
  secretIndex String? @db.VarChar(100)
}`

const SCHEMA = [
  ...[
    'NoTable',
    'NoColumn',
    'NoIndexColumn',
    'NoKeyColumn',
    'OtherType',
    'Short',
    'ShortIndex',
    'Twice',
  ].map((name) => model(name)),
  model('Half', 'id Int\n  part Int\n  @@id([id, part])'),
  model('Nulls', 'id Int @unique'),
  `model Keyless {
  /// @encrypted
  secret      String  @unique @db.VarChar(500)
  /// @blindIndex(secret)
  secretIndex String? @unique @db.VarChar(100)
}`,
].join('\n')

/** Tables that are not as the schema says. */
const TABLES: Readonly<Record<string, string>> = {
  NoColumn: 'id INT NOT NULL PRIMARY KEY, "secretIndex" VARCHAR(100)',
  NoIndexColumn: 'id INT NOT NULL PRIMARY KEY, secret VARCHAR(500)',
  NoKeyColumn: 'pk INT NOT NULL PRIMARY KEY, secret VARCHAR(500), "secretIndex" VARCHAR(100)',
  OtherType: 'id INT NOT NULL PRIMARY KEY, secret INT, "secretIndex" VARCHAR(100)',
  Short: 'id INT NOT NULL PRIMARY KEY, secret VARCHAR(132), "secretIndex" VARCHAR(100)',
  ShortIndex: 'id INT NOT NULL PRIMARY KEY, secret VARCHAR(500), "secretIndex" VARCHAR(76)',
  Twice: 'id INT NOT NULL, secret VARCHAR(500), "secretIndex" VARCHAR(100)',
  Half: 'id INT NOT NULL, part INT NOT NULL, other INT NOT NULL, secret VARCHAR(500), "secretIndex" VARCHAR(100), PRIMARY KEY (id, part, other)',
  Nulls: 'id INT UNIQUE, secret VARCHAR(500), "secretIndex" VARCHAR(100)',
  Keyless: 'secret VARCHAR(500) NOT NULL UNIQUE, "secretIndex" VARCHAR(100) UNIQUE',
}

/** What is wrong, and what to do about it. */
const CASES: readonly (readonly [
  name: string,
  field: string,
  message: RegExp,
  on?: readonly Provider[],
])[] = [
  ['NoTable', 'NoTable', /has no table .NoTable.\. Run the migrations/],
  ['NoColumn', 'NoColumn.secret', /has no column .secret.\. Run the migrations/],
  ['NoIndexColumn', 'NoIndexColumn.secretIndex', /has no column .secretIndex./],
  ['NoKeyColumn', 'NoKeyColumn.id', /has no column .id./],
  [
    'OtherType',
    'OtherType.secret',
    /has the type int.* which does not hold String/,
    ['postgresql', 'mysql'],
  ],
  ['Short', 'Short.secret', /holds 132 characters.* 133 .*Widen/, ['postgresql', 'mysql']],
  [
    'ShortIndex',
    'ShortIndex.secretIndex',
    /holds 76 characters.* 77 .*Widen/,
    ['postgresql', 'mysql'],
  ],
  ['Twice', 'Twice', /two rows of .Twice. .*\(.id.\).* unique index/],
  ['Half', 'Half', /two rows of .Half. .*\(.id., .part.\)/],
  ['Nulls', 'Nulls.id', /.id. of .Nulls. is NULL in some row.* NOT NULL/],
  ['Keyless', 'Keyless', /no key .*@id/],
]

describe.each(PROVIDERS)('a plan that does not fit the database, on %s', (provider) => {
  let w: World
  const kept = (text: string): string => (provider === 'mysql' ? text.replaceAll('"', '`') : text)
  beforeAll(async () => {
    const ddl = Object.entries(TABLES).map(
      ([name, columns]) => `CREATE TABLE ${quote(provider, name)} (${kept(columns)});\n`,
    )
    const schema = provider === 'sqlite' ? SCHEMA.replaceAll(/ @db\.\w+\(\d+\)/g, '') : SCHEMA
    w = await world(provider, schema, { ddl: ddl.join('') })
    await w.run(
      `INSERT INTO "Nulls" (id, secret) VALUES (NULL, 'rs1.00000001.A'), (1, 'rs1.00000001.B')`,
    )
    await w.run(
      `INSERT INTO "Twice" (id, secret) VALUES (1, 'rs1.00000001.A'), (1, 'rs1.00000001.B')`,
    )
    await w.rotate()
  })

  const everything = async (): Promise<unknown[]> => {
    const names = [
      ...Object.keys(TABLES),
      'rowseal_runs',
      'rowseal_fields',
      'rowseal_quarantine',
      'rowseal_keys',
    ]
    return Promise.all(names.map((name) => w.query(`SELECT * FROM "${name}"`)))
  }
  const runs: Readonly<
    Record<string, (config: MigratorConfig, models: string[]) => Promise<unknown>>
  > = {
    drain: (config, models) => drain(config, { models }),
    'drain --dry-run': (config, models) => planDrain(config, { models }),
    reindex: (config, models) => reindex(config, { models, now: true }),
    verify: (config, models) => verify(config, { models }),
  }

  const cases = CASES.filter(([, , , on]) => on?.includes(provider) ?? true)
  it.each(cases.map(([name, field, message]) => [name, field, message] as const))(
    'is refused, and nothing changes: %s',
    async (name, field, message) => {
      const before = await everything()
      for (const run of Object.values(runs)) {
        const error = await run(w.config, [name]).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ name: 'MigrationError', code: 'ERR_PLAN_DATABASE', field })
        expect((error as Error).message).toMatch(message)
      }
      expect(await everything()).toEqual(before)
    },
  )

  it('is refused with the names of another database, and nothing is remembered of them', async () => {
    const { source } = w.config.plan
    const elsewhere = { ...source.models['Twice']!, table: 'else' }
    const other = definePlan({ ...source, models: { ...source.models, Twice: elsewhere } })
    const before = await everything()
    for (const run of Object.values(runs))
      await expect(run({ ...w.config, plan: other }, ['Twice'])).rejects.toMatchObject({
        code: 'ERR_PLAN_DATABASE',
        field: 'Twice',
      })
    expect(await everything()).toEqual(before)
  })
})
