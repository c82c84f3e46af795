import { database, generatedClient } from '@rowseal/test-support'
import internals from '@prisma/internals'
import { mkdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { analyseDMMF } from 'prisma-field-encryption/dist/dmmf.js'
import { generateModel } from 'prisma-field-encryption/dist/generator/generateModel.js'
import { note } from './directions.ts'
import type { Provider } from './migrator/world.ts'
import { peerExtension } from './peer.ts'

/** Beneath this package, since what is generated imports the peer. */
const FOLDER = fileURLToPath(new URL('../.tmp/peer-migration', import.meta.url))

const SCHEMA = `
model Note {
  id    Int    @id
  /// @encrypted
  title String
  /// @encrypted
  text  String
}`

/** Rows per second of sealing the same two fields by the migration that the peer generates for the table. */
export async function peerMigration(provider: Provider, rows: number): Promise<number> {
  const { PrismaClient, ddl, schema, dir } = await generatedClient({ provider, schema: SCHEMA })
  const db = await database(provider)
  await db.exec(ddl)
  const base = new PrismaClient({ adapter: db.adapter() })
  await base.note.createMany({ data: Array.from({ length: rows }, (_, i) => note(i)) })
  const client = base.$extends(await peerExtension(schema))
  const dmmf: any = await internals.getDMMF({ datamodel: schema })
  mkdirSync(FOLDER, { recursive: true })
  await generateModel({
    modelName: 'Note',
    model: analyseDMMF(dmmf)['Note']!,
    prismaClientModule: `${dir}/client/client.ts`,
    outputDir: FOLDER,
  })
  const { migrate } = await import(pathToFileURL(`${FOLDER}/Note.ts`).href)
  const start = performance.now()
  const done: number = await migrate(client, () => undefined)
  const seconds = (performance.now() - start) / 1000
  if (done !== rows) throw new Error(`${done} of ${rows} rows were rewritten.`)
  await base.$disconnect()
  await db.drop()
  return Math.round(rows / seconds)
}
