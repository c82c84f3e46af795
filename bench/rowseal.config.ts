import { PrismaPg } from '@prisma/adapter-pg'
import { defineConfig } from '@rowseal/migrator'
import { openKeyring } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { pathToFileURL } from 'node:url'

// What `rowseal drain` is given by the benchmark: which generated client, and which database.
const { ROWSEAL_BENCH_CLIENT, ROWSEAL_BENCH_DATABASE } = process.env
const { PrismaClient } = await import(
  pathToFileURL(`${ROWSEAL_BENCH_CLIENT}/client/client.ts`).href
)
const { plan } = await import(pathToFileURL(`${ROWSEAL_BENCH_CLIENT}/rowseal.ts`).href)

const client = new PrismaClient({
  adapter: new PrismaPg({ connectionString: ROWSEAL_BENCH_DATABASE }),
})
const keyring = await openKeyring({
  root: localRootKey({ env: 'ROWSEAL_BENCH_ROOT_KEY' }),
  store: sqlKeyStore(client),
})
export default defineConfig({ client, plan, keyring })
