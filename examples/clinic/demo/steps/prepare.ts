import { init } from '@rowseal/migrator'
import { randomBytes } from 'node:crypto'
import { openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type * as App from '../../src/db.ts'
import { startDatabase, type DemoDatabase } from '../databases/index.ts'
import type { World } from '../run-demo.ts'
import type { Site } from '../site.ts'

const MIGRATIONS = new URL('../../prisma/migrations/', import.meta.url)

/** A database with the application's tables, a root key, and the key store. */
export async function prepare(world: World): Promise<Site> {
  const { folder, options, print } = world
  print.heading(1, 'Prepare')
  const database = await startDatabase(options.db, folder)
  world.onClose(() => database.stop())
  await migrate(database)
  process.env['DATABASE_URL'] = database.url
  process.env['ROWSEAL_ROOT_KEY_FILE'] = createRootKey(folder)
  print.line(`   ${database.name} in ${folder}, five tables`)
  print.line('   A new root key in a file that only its owner can read (mode 0600)')

  const app = await import('../../src/db.ts')
  const { default: config } = await import('../../rowseal.config.ts')
  world.onClose(() => app.client.$disconnect())
  logQueries(app, join(folder, 'logs/prisma.log'))
  const { keyrings } = await init(config)
  print.line(`   rowseal init: key ${keyrings[0]!.activeKeyId} is active`)
  return { ...world, database, app, config }
}

/** Create the tables, as `prisma migrate deploy` would. That needs an engine that npm does not bring. */
async function migrate({ provider, adapter, prologue }: DemoDatabase): Promise<void> {
  const folder = new URL(`${provider}/`, MIGRATIONS)
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  const scripts = names.map((name) =>
    readFileSync(new URL(`${name}/migration.sql`, folder), 'utf8'),
  )
  const connection = await adapter().connect()
  try {
    await connection.executeScript([prologue, ...scripts].join('\n'))
  } finally {
    await connection.dispose()
  }
}

/** What `openssl rand -base64 32` prints, in a file as `localRootKey({ file })` wants it. */
function createRootKey(folder: string): string {
  const file = join(folder, 'root.key')
  writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  return file
}

/** Every statement that Prisma sends, with its parameters. */
function logQueries({ client }: typeof App, path: string): void {
  const log = openSync(path, 'w', 0o600)
  client.$on('query', ({ query, params }) => writeSync(log, `${query} ${params}\n`))
}
