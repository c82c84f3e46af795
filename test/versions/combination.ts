import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { databaseFor } from './database.ts'
import { clientFile, generate, type Generator, type Provider } from './generate.ts'
import { install, type Installation, type Version } from './installation.ts'

/** One version of Prisma with one generator on one kind of database, and our built packages. */
export interface Combination {
  readonly version: Version
  readonly provider: Provider
  readonly installation: Installation
  readonly packages: Packages
  readonly Prisma: any
  readonly plan: any
  /** The un-extended client. */
  readonly base: any
  readonly keyring: any
  /** The extended client. */
  readonly prisma: any
  /** Another client of the same database. */
  connect(options?: object): any
  /** A row as the database has it. */
  raw(table: string, where: string): Promise<Record<string, any>>
  close(): Promise<void>
}

/** What they export. */
export interface Packages {
  readonly extension: any
  readonly plan: any
  readonly keys: any
  readonly internals: any
  readonly sql: any
  readonly local: any
  readonly migrator: any
  /** `@prisma/extension-read-replicas` for this version. */
  readonly replicas: any
}

export async function open(
  version: Version,
  generator: Generator,
  provider: Provider,
): Promise<Combination> {
  const installation = install(version)
  const packages = await loadPackages(installation)
  const dir = await generate(installation, generator, provider)
  const { PrismaClient, Prisma } = await importFile(clientFile(dir, generator))
  const { plan } = await importFile(join(dir, 'rowseal.ts'))
  const { adapter, drop } = await databaseFor(installation, provider)
  const clients: any[] = []
  const connect = (options: object = {}): any => {
    const client = new PrismaClient({ adapter, errorFormat: 'minimal', ...options })
    clients.push(client)
    return client
  }
  const base = connect({ omit: { ward: { floor: true } } })
  const keyring = await packages.extension.openKeyring({
    root: packages.local.localRootKey({ key: randomBytes(32) }),
    store: packages.sql.sqlKeyStore(base),
  })
  await packages.migrator.init({ client: base, plan, keyring })
  const prisma = base.$extends(packages.extension.rowseal({ plan, keyring }))
  const raw = async (table: string, where: string): Promise<Record<string, any>> => {
    const [row] = await base.$queryRawUnsafe(`SELECT * FROM "${table}" WHERE ${where}`)
    return row
  }
  const close = async (): Promise<void> => {
    await prisma.$rowseal.flush()
    for (const client of clients) await client.$disconnect()
    await drop()
  }
  const opened = { version, provider, installation, packages, Prisma, plan, base, keyring, prisma }
  return { ...opened, connect, raw, close }
}

async function loadPackages({ load, dir }: Installation): Promise<Packages> {
  const extension = 'prisma-extension/dist'
  return {
    extension: await load(`${extension}/index.js`),
    plan: await load(`${extension}/plan/index.js`),
    keys: await load(`${extension}/keys/index.js`),
    internals: await load(`${extension}/client/internals.js`),
    sql: await load(`${extension}/keys/stores/sql.js`),
    local: await load(`${extension}/keys/providers/local.js`),
    migrator: await load('migrator/dist/index.js'),
    replicas: createRequire(join(dir, 'any.js'))('@prisma/extension-read-replicas'),
  }
}

function importFile(path: string): Promise<any> {
  return import(pathToFileURL(path).href)
}
