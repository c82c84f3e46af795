import { drain } from '@rowseal/migrator'
import { openKeyring } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { PrismaPg } from '@prisma/adapter-pg'
import { generatedClient } from '@rowseal/test-support'
import { SCHEMA } from './setup.ts'

export interface DrainResult {
  /** Resident memory at its highest, in bytes. */
  readonly peak: number
  /** Rows done at each commit, at a moment in ms. */
  readonly marks: { rows: number; at: number }[]
}

/** Drains the database whose URL is the argument, and sends a DrainResult to the parent. */
const connectionString = process.argv[2]!
const { PrismaClient, plan } = await generatedClient({ provider: 'postgresql', schema: SCHEMA })
const client = new PrismaClient({ adapter: new PrismaPg({ connectionString }) })
const root = localRootKey({ env: 'ROWSEAL_BENCH_ROOT_KEY' })
const keyring = await openKeyring({ root, store: sqlKeyStore(client) })

let peak = 0
const sample = (): void => void (peak = Math.max(peak, process.memoryUsage.rss()))
setInterval(sample, 100).unref()
const marks = [{ rows: 0, at: performance.now() }]
let rows = 0
await drain(
  { client, plan, keyring },
  {
    onEvent: (event) => {
      if (event.type !== 'batch') return
      rows += event.rows
      marks.push({ rows, at: performance.now() })
    },
  },
)
sample()
await client.$disconnect()
process.send!({ peak, marks } satisfies DrainResult)
