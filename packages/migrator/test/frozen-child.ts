import { openKeyring, rowseal } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import { MAX_AGE_MS, type Task } from './frozen.ts'
import type { Provider } from './world.ts'

// An instance of the application that freezes when it is told to, as a process of a virtual machine may that
// is moved, or one that is out of memory.

const [provider, dir, url, storeUrl] = process.argv.slice(2) as [Provider, string, string, string]
const adapter = (address: string): any =>
  ({
    postgresql: () => new PrismaPg({ connectionString: address }),
    sqlite: () => new PrismaLibSql({ url: address, timeout: 5000 }),
    mysql: () => new PrismaMariaDb(address),
  })[provider]()

const { PrismaClient } = await import(`${dir}/client/client.ts`)
const { plan } = await import(`${dir}/rowseal.ts`)
const base = new PrismaClient({ adapter: adapter(url) })
const keyring = await openKeyring({
  root: localRootKey({ env: 'FROZEN_ROOT_KEY' }),
  store: sqlKeyStore(new PrismaClient({ adapter: adapter(storeUrl) })),
  refreshMs: 100,
  maxAgeMs: MAX_AGE_MS,
})

let freezesBeforeSending = false

/** Until SIGCONT. */
async function freeze(): Promise<void> {
  await new Promise<void>((sent) => void process.send!({ frozen: true }, () => sent()))
  process.kill(process.pid, 'SIGSTOP')
}

const prisma = base.$extends(rowseal({ plan, keyring, reencryption: false })).$extends({
  // Applied after Rowseal: between it and the database. What it sees is sealed.
  query: {
    $allModels: {
      $allOperations: async ({ args, query }: any) => {
        if (freezesBeforeSending) {
          freezesBeforeSending = false
          if (!/rs1\.0000000\d/.test(JSON.stringify(args))) throw new Error('nothing is sealed')
          await freeze()
        }
        return query(args)
      },
    },
  },
})

const tasks: Readonly<Record<Task['kind'], (id: number) => Promise<unknown>>> = {
  create: (id) => prisma.staff.create({ data: { id, name: 'n', pin: `pin ${id}` } }),
  'freeze before sending': (id) => {
    freezesBeforeSending = true
    return tasks.create(id)
  },
  'freeze before sending in a transaction': (id) =>
    prisma.$transaction(
      async (tx: any) => {
        freezesBeforeSending = true
        await tx.staff.create({ data: { id, name: 'n', pin: `pin ${id}` } })
      },
      { timeout: 120_000 },
    ),
  'freeze before commit': (id) =>
    prisma.$transaction(
      async (tx: any) => {
        await tx.staff.create({ data: { id, name: 'n', pin: `pin ${id}` } })
        await freeze()
      },
      { timeout: 120_000 },
    ),
}

process.on('message', ({ kind, id }: Task) => {
  tasks[kind](id).then(
    () => process.send!({ code: null }),
    (error: unknown) => {
      const { code, message, field } = error as { code?: string; message: string; field?: string }
      process.send!({ code: code ?? message, message, field })
    },
  )
})
process.send!('ready')
