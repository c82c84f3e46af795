import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { afterEach, describe, expect, it } from 'vitest'
import { drain, verify, type MigratorConfig } from '../../src/index.ts'
import { closeWorlds, PROVIDERS } from '../world.ts'
import { literal } from './key-types.ts'
import { ownWorld, type OwnColumn, type OwnTable } from './own-tables.ts'
import { expectEveryRowMet, expectLeavesAndEnters, fill } from './tables.ts'

afterEach(closeWorlds)

/** Equal to some collations and not to others are: cases, accents, trailing spaces. */
const LETTERS = [
  '',
  'a',
  'A',
  'b',
  'B',
  'ä',
  'Ä',
  'z',
  'Z',
  'é',
  'e',
  ' ',
  'a ',
  '_',
  '😀',
] as const

function text(type: string, ...values: readonly string[]): OwnColumn {
  return { prisma: 'String', type, values: values.map((value) => literal('postgresql', value)) }
}

function column(prisma: string, type: string, ...values: readonly string[]): OwnColumn {
  return { prisma, type, values }
}

function table(model: string, ...key: readonly OwnColumn[]): OwnTable {
  return { model, key }
}

const NO_TWINS = ['', 'a', 'B', 'c', 'D', 'é', 'z', '_', '😀'] as const

describe.runIf(PROVIDERS.includes('postgresql'))('tables made by hand on postgresql', () => {
  const before = [
    `CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    'CREATE EXTENSION citext',
    `CREATE DOMAIN "Short ""name""" AS varchar(3) COLLATE "C" CHECK (VALUE <> 'xxx')`,
  ]
  const [exact, loose] = [
    text('text COLLATE "C"', ...LETTERS),
    text('text COLLATE no_case', ...NO_TWINS),
  ]
  const twins = text('citext', ...NO_TWINS)

  it('are walked in the order of every collation, domain and kind of table', async () => {
    const { w, filled } = await ownWorld(
      'postgresql',
      [
        table('Exact', exact),
        table('Language', text('text COLLATE "und-x-icu"', ...LETTERS)),
        table('Loose', loose),
        table('Twins', twins),
        table('Domain', text('"Short ""name"""', 'a', 'A', 'ab ', 'ab')),
        table(
          'LooseAndExact',
          text('text COLLATE no_case', 'a', 'B', 'c'),
          text('text COLLATE "C"', 'a', 'B', 'c'),
        ),
        table(
          'TwinsAndLoose',
          text('citext', 'a', 'B', 'c'),
          text('varchar COLLATE no_case', 'a', 'B', 'c'),
        ),
        table(
          'Unbounded',
          column(
            'Decimal',
            'numeric',
            `'-Infinity'`,
            '-1e-300',
            '0.10',
            '0.100000001',
            '1e300',
            `'NaN'`,
          ),
        ),
        {
          ...table('Partitioned', column('Int', 'int', '1', '2', '3', '4', '5')),
          options: 'PARTITION BY RANGE (k0)',
        },
      ],
      before,
    )
    for (const one of filled) {
      if (one.model === 'Partitioned')
        await w.db.exec(
          'CREATE TABLE part_1 PARTITION OF "Partitioned" FOR VALUES FROM (0) TO (3); CREATE TABLE part_2 PARTITION OF "Partitioned" DEFAULT',
        )
      await fill(w, one)
    }
    await expectEveryRowMet(w, filled)
  })

  it('are walked whatever the settings by which the database writes values', async () => {
    const settings = {
      DateStyle: `'SQL, DMY'`,
      TimeZone: `'Europe/Berlin'`,
      extra_float_digits: '0',
      bytea_output: `'escape'`,
      lc_monetary: `'C'`,
    }
    const { w, filled } = await ownWorld(
      'postgresql',
      [
        table(
          'Stamp',
          column(
            'DateTime',
            'timestamp',
            `'2026-02-01 00:00:00.000001'`,
            `'2026-01-12 00:00:00.000002'`,
            `'0044-03-15 00:00 BC'`,
          ),
        ),
        table(
          'Zoned',
          column(
            'DateTime',
            'timestamptz',
            `'2025-10-26 02:30:00+02'`,
            `'2025-10-26 02:30:00+01'`,
            `'2025-10-26 03:30:00+01'`,
            `'1890-01-01 00:00:00+00'`,
          ),
        ),
        table('Day', column('DateTime', 'date', `'2026-02-01'`, `'2026-01-12'`, `'2026-12-01'`)),
        table(
          'Double',
          column('Float', 'float8', '0.1', '0.30000000000000004', '0.3', '12345678.901234567'),
        ),
        table('Single', column('Float', 'real', '0.1', '0.10000001', '16777216')),
        table('Bytea', column('Bytes', 'bytea', `'\\x00ff'`, `'\\x5c'`, `'\\x'`)),
      ],
      Object.entries(settings).map(
        ([name, value]) => `ALTER DATABASE :database SET ${name} = ${value}`,
      ),
    )
    for (const one of filled) await fill(w, one)
    await expectEveryRowMet(w, filled)
  })
})

describe.runIf(PROVIDERS.includes('mysql'))('tables made by hand on mysql', () => {
  it('are walked in the order of every collation and character set', async () => {
    const ascii = NO_TWINS.slice(0, -1)
    const { w, filled } = await ownWorld('mysql', [
      table('Loose', text('VARCHAR(20) COLLATE utf8mb4_general_ci', ...NO_TWINS)),
      table('Language', text('VARCHAR(20) COLLATE utf8mb4_unicode_ci', ...NO_TWINS)),
      table('Padded', text('VARCHAR(20) COLLATE utf8mb4_bin', 'a', 'A', 'ä', 'b', '😀')),
      table('Latin', text('VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci', ...ascii)),
      table(
        'LatinExact',
        text('CHAR(20) CHARACTER SET latin1 COLLATE latin1_bin', 'a', 'A', 'ä', 'b'),
      ),
      table('Wide', text('VARCHAR(20) CHARACTER SET utf16 COLLATE utf16_general_ci', ...NO_TWINS)),
      table(
        'Short',
        text('VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci', ...ascii),
      ),
      { ...table('Prefix', text('TEXT', ...LETTERS)), constraint: 'PRIMARY KEY (k0(20))' },
      {
        ...table('BlobPrefix', column('Bytes', 'BLOB', `x'00'`, `x'0000'`, `x'ff'`, `x''`)),
        constraint: 'PRIMARY KEY (k0(20))',
      },
      table(
        'LooseEnum',
        text(`ENUM('zebra', 'Ape', 'owl') COLLATE utf8mb4_general_ci`, 'zebra', 'Ape', 'owl'),
        column('Int', 'INT', '1', '2'),
      ),
      table(
        'Several',
        text(`SET('zebra', 'Ape', 'owl')`, '', 'zebra', 'zebra,Ape', 'Ape', 'zebra,Ape,owl', 'owl'),
      ),
      table(
        'LooseAndLatin',
        text('VARCHAR(20) COLLATE utf8mb4_general_ci', 'a', 'B', 'c'),
        text('VARCHAR(20) CHARACTER SET latin1', 'a', 'B', 'c'),
      ),
    ])
    for (const one of filled) await fill(w, one)
    await expectEveryRowMet(w, filled)
  })

  it('are refused by a TIMESTAMP where the session has hours twice, and walked by it in UTC', async () => {
    // Half past two comes twice, a quarter to three between the two.
    const times = ['2025-10-26 00:30:00', '2025-10-26 00:45:00', '2025-10-26 01:30:00']
    const stamp = column('DateTime', 'TIMESTAMP', ...times.map((time) => `'${time}'`))
    const { w, filled } = await ownWorld('mysql', [table('Stamp', stamp)], TIME_ZONE)
    for (const one of filled) await fill(w, one)
    const through = async (query: string): Promise<MigratorConfig> => {
      const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
      const client = new PrismaClient({ adapter: new PrismaMariaDb(`${w.db.url}&${query}`) })
      clients.push(client)
      return { ...w.config, client }
    }
    const clients: any[] = []
    try {
      const local = await through('sessionVariables={"time_zone":"Rowseal/Test"}')
      await expect(drain(local)).rejects.toMatchObject({
        code: 'ERR_PLAN_DATABASE',
        field: 'Stamp.k0',
        message: expect.stringMatching(/TIMESTAMP.*Rowseal\/Test.*timezone=Z/),
      })
      await expectEveryRowMet({ ...w, config: await through('timezone=Z') }, filled)
    } finally {
      for (const client of clients) await client.$disconnect()
    }
  })
})

describe.runIf(PROVIDERS.includes('mysql'))('tables with dates that are none, on mysql', () => {
  it.each([
    ['DATE', '0000-00-00'],
    ['DATE', '2026-01-00'],
    ['DATETIME(3)', '0000-00-00'],
    ['TIMESTAMP', '0000-00-00'],
  ])('are walked, and refused where the session takes these for NULL: %s %s', async (type, day) => {
    const days = [day, '2026-01-01', '2026-01-02'].map((text) => `'${text}'`)
    const { w, filled } = await ownWorld('mysql', [table('Day', column('DateTime', type, ...days))])
    for (const one of filled) await fill(w, one)
    await expectEveryRowMet(w, filled)

    const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
    const url = `${w.db.url}&timezone=Z&sessionVariables={"sql_mode":"TRADITIONAL"}`
    const client = new PrismaClient({ adapter: new PrismaMariaDb(url) })
    try {
      await expect(verify({ ...w.config, client })).rejects.toMatchObject({
        code: 'ERR_PLAN_DATABASE',
        field: 'Day.k0',
        message: expect.stringMatching(/0000-00-00.*sql_mode.*without NO_ZERO_DATE/),
      })
    } finally {
      await client.$disconnect()
    }
  })
})

/** A zone whose clocks went back from three to two on 26 October 2025. Servers without zones have none. */
const TIME_ZONE = [
  `INSERT IGNORE INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (9001, 'N')`,
  `INSERT IGNORE INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Rowseal/Test', 9001)`,
  `INSERT IGNORE INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, \`Offset\`, Is_DST, Abbreviation)
VALUES (9001, 0, 7200, 1, 'RST'), (9001, 1, 3600, 0, 'RT')`,
  `INSERT IGNORE INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id)
VALUES (9001, 1743296400, 0), (9001, 1761440400, 1)`,
]

describe.runIf(PROVIDERS.includes('sqlite'))('tables made by hand on sqlite', () => {
  it('are walked in the order of every collation and kind of table', async () => {
    const { w, filled } = await ownWorld('sqlite', [
      table('Loose', text('TEXT COLLATE NOCASE', ...NO_TWINS)),
      table('Padded', text('TEXT COLLATE RTRIM', 'a', 'A', 'b', 'B')),
      table(
        'LooseAndExact',
        text('TEXT COLLATE NOCASE', 'a', 'B', 'c'),
        text('TEXT', 'a', 'A', 'b'),
      ),
      { ...table('Rowid', column('Int', 'INTEGER', '-5', '1', '9223372036854775807')) },
      {
        ...table('Rowless', text('VARCHAR(20)', ...LETTERS), column('Int', 'INT', '1', '2')),
        options: 'WITHOUT ROWID',
      },
      table('Untyped', column('Int', '', '-5', '2', '10', '9223372036854775807')),
      table('Binary', column('Float', 'BLOB', '-0.5', '2', '10'), text('', 'a', '1', '10')),
      { ...table('Strict', text('TEXT', ...LETTERS)), options: 'STRICT' },
      {
        ...table('Descending', column('Int', 'INT', '1', '2', '3'), text('TEXT', 'a', 'b')),
        constraint: 'UNIQUE (k0 DESC, k1)',
      },
    ])
    for (const one of filled) await fill(w, one)
    await expectEveryRowMet(w, filled)
  })

  it('are walked whatever numbers and texts their keys are', async () => {
    const { w, filled } = await ownWorld('sqlite', [
      table('Infinite', column('Float', 'REAL', '-9e999', '-1', '0.1', '9e999')),
      table(
        'Julian',
        column('DateTime', 'DATETIME', '2460000.123456789', '2460000.123456788', '1'),
      ),
      table('Real', column('Int', 'INT', '0.30000000000000004', '0.3', '1')),
      table(
        'Beyond',
        column(
          'BigInt',
          'BIGINT',
          '-9007199254740993',
          '9223372036854775808',
          '9223372036854777856',
        ),
      ),
      table(
        'Zero',
        column('String', 'TEXT', `'a'`, `'a' || char(0)`, `'a' || char(0) || 'b'`, `'b'`),
      ),
    ])
    for (const one of filled) await fill(w, one)
    await expectEveryRowMet(w, filled)
    await expectLeavesAndEnters(w, filled)
  })

  it.each(['Bytes', 'Broken'])('are refused where a key is no text: %s', async (model) => {
    const bad = model === 'Bytes' ? `x'6162'` : `CAST(x'61ff' AS TEXT)`
    const { w, filled } = await ownWorld('sqlite', [
      table(model, column('String', 'TEXT', `'a'`, bad, `'b'`)),
    ])
    for (const one of filled) await fill(w, one)
    await expect(verify(w.config)).rejects.toMatchObject({
      code: 'ERR_PLAN_DATABASE',
      field: `"${model}"`,
      message: expect.stringMatching(/key "k0" .* bytes, or broken UTF-8.*Change the key/),
    })
  })
})
