import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { init } from '@rowseal/migrator'
import {
  database,
  generatedClient,
  startKms,
  hasRedis,
  startMariadb,
  startPostgres,
  startRedis,
  type CrashingServer,
  type KmsServer,
  type RedisServer,
} from '@rowseal/test-support'
import { openInstance, type Instance, type Spec } from './instance.ts'
import { Proxy } from './proxy.ts'
import { Recorder } from './recorder.ts'
import { schemaOf, type Provider, type Release } from './schema.ts'
import { CONTROL, entryOf, expectedEntry, expectedNote, noteOf, type Content } from './values.ts'

const REGION = 'eu-central-1'

/** All that a history needs: real servers, and a way to the database that can be cut. */
export interface World {
  readonly provider: Provider
  readonly server: CrashingServer
  readonly kms: KmsServer
  readonly proxy: Proxy
  /** Null where there is no `redis-server`; else its files are in `queueFolder`. */
  readonly redis: RedisServer | null
  readonly queueFolder: string
  /** For processes: through the proxy. */
  readonly spec: Spec
  /** With a way of its own to the database. */
  readonly direct: Spec
  /** Of what processes write, which is looked through afterwards. */
  readonly folder: string
  /** Of the migrator's `rowseal.config.ts`. */
  readonly configs: string
  close(): Promise<void>
}

export async function openWorld(provider: Provider, records: number): Promise<World> {
  const kms = await startKms({ region: REGION })
  const server =
    provider === 'mysql' ? await startMariadb(MARIADB_FLAGS) : await startPostgres(POSTGRES_FLAGS)
  const variable = provider === 'mysql' ? 'ROWSEAL_TEST_MARIADB_URL' : 'ROWSEAL_TEST_POSTGRES_URL'
  process.env[variable] = server.url
  const db = await database(provider)
  const clients = {} as Record<Release, string>
  for (const release of ['first', 'second'] as const) {
    const generated = await generatedClient({ provider, schema: schemaOf(release) })
    clients[release] = generated.dir
    if (release === 'first') await db.exec(generated.ddl)
  }
  const url = new URL(db.url)
  if (provider === 'mysql')
    for (const [option, value] of Object.entries(MARIADB)) url.searchParams.set(option, value)
  const proxy = await Proxy.start(Number(url.port), url.hostname)
  const configs = join(import.meta.dirname, '.tmp', `run-${process.pid}`)
  const folder = join(configs, 'records')
  mkdirSync(folder, { recursive: true })
  const queueFolder = join(configs, 'queue')
  mkdirSync(queueFolder)
  const redis = hasRedis() ? await startRedis(['--dir', queueFolder]) : null
  // What is in the queue holds the control by its name.
  const queue = redis === null ? null : { redis: redis.url, name: CONTROL }
  const kmsSpec = { endpoint: kms.url, keyId: kms.createKey(), region: REGION }
  const direct: Spec = { provider, url: url.href, clients, kms: kmsSpec, queue, folder, records }
  url.port = String(proxy.port)
  writeFileSync(join(configs, 'rowseal.config.ts'), CONFIG)
  return {
    ...{ provider, server, kms, proxy, redis, queueFolder, folder, configs, direct },
    spec: { ...direct, url: url.href },
    close: async () => {
      await proxy.stop()
      await kms.stop()
      await redis?.stop()
      await server.stop()
      rmSync(configs, { recursive: true, force: true })
    },
  }
}

const MARIADB = { acquireTimeout: '3000', connectTimeout: '2000', connectionLimit: '8' }

/** All that is written is looked through: so all of it is kept, and statements are in it with their parameters. */
const POSTGRES_FLAGS = ['wal_keep_size=8GB', 'log_statement=all'].flatMap((flag) => ['-c', flag])
const MARIADB_FLAGS = [
  ...['--innodb-flush-log-at-trx-commit=2', '--max-connections=300'],
  ...['--log-bin=binlog', '--binlog-format=ROW', '--server-id=1'],
  ...['--general-log', '--general-log-file=statements.log'],
]

const CONFIG = `import { bullmqQueue } from '@rowseal/migrator/queues/bullmq'
import { openInstance, specOf } from '${import.meta.dirname}/instance.ts'
const spec = specOf()
const { config } = await openInstance(spec, 'first')
export default { ...config, ...(spec.queue === null ? {} : { queue: bullmqQueue(spec.queue) }) }
`

/** A record that nobody writes to again, so that the control is in every dump. */
const UNTOUCHED = 999_999

/** The key store and run tables of both releases, and the records that all processes share. */
export async function fill(world: World): Promise<Instance> {
  const first = await openInstance(world.direct, 'first')
  await init(first.config)
  const second = await openInstance(world.direct, 'second')
  await init(second.config)
  await second.base.$disconnect()
  const recorder = new Recorder(join(world.folder, 'setup.jsonl'))
  const shared = Array.from({ length: world.direct.records }, (_, id) => id)
  for (const id of [...shared, UNTOUCHED]) {
    const content: Content = {
      writer: `${CONTROL}/${id}`,
      hasDoc: id % 3 > 0,
      phone: id,
      login: id,
    }
    const writes = {
      [`Note:${id}`]: expectedNote(content),
      [`Entry:${id}`]: expectedEntry(content),
    }
    const n = recorder.start('create', writes)
    await first.prisma.note.create({ data: { id, ...noteOf(content, first.Prisma.DbNull) } })
    await first.prisma.entry.create({ data: { id, ...entryOf(content) } })
    recorder.end(n, { outcome: 'ok' })
  }
  return first
}
