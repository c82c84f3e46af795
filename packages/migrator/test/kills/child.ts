import { openSync, writeSync } from 'node:fs'
import { decrypt, drain, encrypt, reindex, rewrap, verify, work } from '@rowseal/migrator'
import { openKeyring, rowseal } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import type { ChildSpec, Task } from './children.ts'
import { Journal } from './journal.ts'
import { randomOf } from './random.ts'
import { atEachStep } from './steps.ts'
import { Writer } from './writer.ts'

// A process that runs a direction until it is done, or until it is killed. On SQLite, where one process
// writes, it is the application too; with a queue it is the coordinator and a worker.

const RUNS: Readonly<Record<string, (config: any, options: object) => Promise<any>>> = {
  encrypt,
  drain,
  reindex,
  verify,
  decrypt,
  rewrap,
}

const spec = JSON.parse(process.argv[2]!) as ChildSpec
const ADAPTERS: Readonly<Record<string, () => Promise<any>>> = {
  postgresql: async () => {
    const { PrismaPg } = await import('@prisma/adapter-pg')
    return new PrismaPg({ connectionString: spec.url })
  },
  sqlite: async () => {
    const { PrismaLibSql } = await import('@prisma/adapter-libsql')
    return new PrismaLibSql({ url: spec.url, timeout: 5000 })
  },
  mysql: async () => {
    const { PrismaMariaDb } = await import('@prisma/adapter-mariadb')
    return new PrismaMariaDb(spec.url)
  },
}
const { PrismaClient, Prisma } = await import(`${spec.client}/client/client.js`)
const { plan } = await import(`${spec.client}/rowseal.js`)
const adapter = await ADAPTERS[spec.provider]!()

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** Hands a direction out, and works on it until it is done. */
async function handOut(direction: string, config: any, options: any): Promise<any> {
  const { bullmqQueue } = await import('@rowseal/migrator/queues/bullmq')
  const queued = { ...config, queue: bullmqQueue(spec.queue!) }
  const end = new AbortController()
  const working = work(queued, { ...options, signal: end.signal })
  const { batchRows } = options
  const coordinating = RUNS[direction]!(queued, { batchRows, queue: { partRows: 12 } })
  // Whichever fails first has failed them both.
  const report = await Promise.race([coordinating, working.then(() => coordinating)])
  end.abort()
  await working
  return report
}

async function run({ direction, options, kill, writer }: Task): Promise<object> {
  const base = new PrismaClient({ adapter })
  let steps = 0
  const client = atEachStep(base, ({ n }) => {
    steps = n
    if (kill?.by !== 'step' || kill.n !== n) return
    if (kill.delayMs === 0) die()
    else setTimeout(die, kill.delayMs)
  })
  const root = localRootKey({ env: 'KILLS_ROOT_KEY' })
  const keyring = await openKeyring({ root, store: sqlKeyStore(client), ...spec.keyring })
  let application: Writer | null = null
  if (writer !== null) {
    const { ids, from, seed, searches, log } = writer
    const sealed = base.$extends(rowseal({ plan, keyring, reencryption: false }))
    const file = openSync(log, 'a')
    const notes = await sealed.note.findMany({ omit: { phoneIndex: true, loginIndex: true } })
    // In the file as soon as it is known, whatever becomes of the process.
    const journal = new Journal(notes, (entry) => writeSync(file, `${JSON.stringify(entry)}\n`))
    const random = randomOf(seed)
    application = new Writer({
      ...{ client: sealed, dbNull: Prisma.DbNull, journal, ids, from, random, searches },
      restMs: 2,
    })
  }
  const began = performance.now()
  const config = { client, plan, keyring }
  const go = spec.queue === null ? RUNS[direction]! : handOut.bind(null, direction)
  const { outcome } = await go(config, options)
  await application?.stop()
  return { outcome, steps, ms: performance.now() - began }
}

process.on('message', (task: Task) => {
  run(task).then(
    (report) => process.send!({ report }, () => process.exit()),
    (error: unknown) => {
      const { code, message, retryable } = error as Error & { code?: string; retryable?: boolean }
      process.send!({ error: { code, message, retryable } }, () => process.exit())
    },
  )
})
process.send!('ready')
