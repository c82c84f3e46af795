import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaPg } from '@prisma/adapter-pg'
import { openKeyring, rowseal } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { PrismaClient } from '#generated/prisma/client.ts'
import { plan } from '#generated/rowseal.ts'

const url = process.env['DATABASE_URL'] ?? 'file:clinic.db'
const file = process.env['ROWSEAL_ROOT_KEY_FILE'] ?? 'root.key'

const adapter = url.startsWith('file:')
  ? new PrismaLibSql({ url, timeout: 5000 })
  : new PrismaPg({ connectionString: url })

export { plan }
export const client = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] })
export const keyring = await openKeyring({
  root: localRootKey({ file }),
  store: sqlKeyStore(client),
})
export const prisma = client.$extends(rowseal({ plan, keyring }))
