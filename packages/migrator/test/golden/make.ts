// Writes what this release leaves in a database into vectors/golden/VERSION, once for each release:
//
//   npx tsx packages/migrator/test/golden/make.ts VERSION
//
// It never writes over a folder that is there. Add the version and its digest to ../golden.test.ts.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  addKey,
  compromiseKey,
  initKeyring,
  rotate as rotateKeyring,
  type Keyring,
} from '@rowseal/prisma-extension/keys'
import { fileKeyStore } from '@rowseal/prisma-extension/stores/file'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient } from '@rowseal/test-support'
import { drain, init, rotate, verify } from '../../src/index.ts'
import { FOLDER, opened, readAll, statesOf, type Values } from './kept.ts'

// As Prisma formats it: that text has the digest.
const SCHEMA = `model Patient {
  id         Int     @id
  clinic     String
  /// @encrypted
  email      String
  /// @blindIndex(email, normalize: [trim, lowercase])
  emailIndex String? @unique
  /// @encrypted(pad: 32)
  phone      String?
  /// @encrypted(bind: [id, clinic])
  notes      Json?
  /// @encrypted
  scan       Bytes?
  /// @encrypted(plaintext: allow)
  remark     String?
}

model Visit {
  day     Int
  room    String
  /// @encrypted(keyring: "audit", id: "Visit.result")
  finding String

  @@id([day, room])
}
`
const NOTE = 'The root key is for these files and no other use.'
const rootKey = createHash('sha256').update('rowseal golden root key').digest()

const patient = (id: number): object => ({
  id,
  clinic: id % 2 === 0 ? 'Zürich' : 'Bern',
  email: ` Patient${id}@Example.org`,
  phone: id % 4 === 3 ? null : `+41 ${id}`.repeat(id % 5),
  notes: id % 5 === 4 ? undefined : { id, text: 'naïve "quoted" 🏥', list: [null, 1.5, true] },
  scan: id % 3 === 2 ? null : Uint8Array.from({ length: id }, (_, at) => (at * 37 + id) & 255),
  remark: id % 7 === 6 ? null : `remark ${id}`,
})
const visit = (day: number): object => ({ day, room: `r'${day}`, finding: `finding ${day}` })
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => from + at)

async function make(folder: URL): Promise<void> {
  const db = await database('sqlite')
  const { PrismaClient, plan, ddl } = await generatedClient({ provider: 'sqlite', schema: SCHEMA })
  await db.exec(ddl)
  const client = new PrismaClient({ adapter: db.adapter() })
  const { config, sealed } = await opened(client, plan, rootKey, sqlKeyStore(client))
  const [main] = config.keyring as [Keyring]
  await init(config)
  for (const [from, to] of [
    [0, 20],
    [20, 30],
    [30, 40],
  ] as const) {
    if (from > 0)
      for (const { name } of config.keyring) await rotate(config, { now: true, keyring: name })
    for (const id of range(from, to)) await sealed.patient.create({ data: patient(id) })
    for (const day of range(from, to)) await sealed.visit.create({ data: visit(day) })
  }
  await client.$executeRawUnsafe(`UPDATE Patient SET remark = 'never sealed' WHERE id = 5`)
  await compromiseKey(main, main.keys().find(({ version }) => version === 2)!.keyId)
  await addKey(main)
  const { patients, visits } = await readAll(sealed)
  await leaveRuns(config, client)
  const { keys, inFile } = await fileStore(client, plan)
  const values: Values = {
    note: NOTE,
    rootKey: rootKey.toString('hex'),
    states: statesOf(config.keyring),
    inFile,
    patients,
    visits,
  }
  const write = (name: string, text: string): void => writeFileSync(new URL(name, folder), text)
  mkdirSync(folder, { recursive: true })
  write('schema.prisma', SCHEMA)
  write('plan.json', `${JSON.stringify(plan.source, null, 1)}\n`)
  write('database.sql', await dump(client))
  write('keys.json', keys)
  write('values.json', `${JSON.stringify(values, null, 1)}\n`)
  await client.$disconnect()
  await db.drop()
}

/** A drain that was stopped after its first batch, and a verify that has put a value into quarantine. */
async function leaveRuns(config: any, client: any): Promise<void> {
  const controller = new AbortController()
  const report = await drain(config, {
    now: true,
    models: ['Patient'],
    batchRows: 10,
    signal: controller.signal,
    onEvent: (event) => event.type === 'batch' && controller.abort(),
  })
  if (report.outcome !== 'stopped') throw new Error(`The drain is ${report.outcome}.`)
  const [{ finding }] = await client.$queryRawUnsafe(`SELECT finding FROM Visit WHERE day = 3`)
  const bad = finding.replace(/.$/, (last: string) => (last === 'A' ? 'Q' : 'A'))
  await client.$executeRawUnsafe(`UPDATE Visit SET finding = '${bad}' WHERE day = 3`)
  await verify(config, { models: ['Visit'] })
  await client.$executeRawUnsafe(`UPDATE Visit SET finding = '${finding}' WHERE day = 3`)
}

async function fileStore(
  client: any,
  plan: any,
): Promise<Pick<Values, 'inFile'> & { keys: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'rowseal-golden-'))
  try {
    const path = join(folder, 'keys', 'keys.json')
    const store = fileKeyStore(path)
    await store.init()
    const { config, sealed } = await opened(client, plan, rootKey, store)
    for (const keyring of config.keyring) {
      await initKeyring(keyring)
      await rotateKeyring(keyring)
    }
    const email = await sealed.$rowseal.seal('Patient.email', 'in a file')
    const scan = await sealed.$rowseal.seal('Patient.scan', new Uint8Array([1, 2, 3]))
    return {
      keys: readFileSync(path, 'utf8'),
      inFile: [
        { field: 'Patient.email', stored: email, value: 'in a file' },
        { field: 'Patient.scan', stored: Buffer.from(scan).toString('hex'), value: '010203' },
      ],
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Every table and index with its rows, as SQL. */
async function dump(client: any): Promise<string> {
  const objects = await client.$queryRawUnsafe(
    `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name`,
  )
  const lines: string[] = []
  for (const { type, name, sql } of objects) {
    lines.push(`${sql};`)
    if (type !== 'table') continue
    const columns = await client.$queryRawUnsafe(`SELECT name FROM pragma_table_info('${name}')`)
    const quoted = columns.map((column: any) => `quote("${column.name}")`).join(` || ', ' || `)
    const rows = await client.$queryRawUnsafe(`SELECT ${quoted} AS line FROM "${name}"`)
    for (const { line } of rows) lines.push(`INSERT INTO "${name}" VALUES (${line});`)
  }
  return `${lines.join('\n')}\n`
}

const [version] = process.argv.slice(2)
if (version === undefined) throw new Error('Name the version.')
const folder = new URL(`${version}/`, FOLDER)
if (existsSync(folder)) throw new Error('That version has its files, and keeps them.')
await make(folder)
