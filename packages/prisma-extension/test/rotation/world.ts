import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import { generatedClient } from '@rowseal/test-support'
import { rowseal } from '../../src/index.ts'
import { openKeyring, type Keyring } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'

/** Databases that several processes write to. */
export type Provider = 'postgresql' | 'mysql'

/** How old a view of the key store may be: who rotates waits this long between phases. */
export const MAX_AGE_MS = 400

const SCHEMA = (provider: Provider): string => {
  const text = provider === 'mysql' ? ' @db.VarChar(300)' : ''
  return `
model Account {
  id          Int     @id
  /// @encrypted
  email       String  @unique${text}
  /// @blindIndex(email)
  emailIndex  String? @unique
  /// @blindIndex(email, slot: 2)
  emailIndex2 String? @unique
  seen        Int     @default(0)
  logins      Login[]
}
model Login {
  id        Int     @id
  account   Account @relation(fields: [accountId], references: [id])
  accountId Int
}
`
}

/** Prisma's schema engine from npm knows no MySQL. */
export const MYSQL_DDL = `
CREATE TABLE Account (
  id INT PRIMARY KEY,
  email VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  emailIndex VARCHAR(191), emailIndex2 VARCHAR(191), seen INT NOT NULL DEFAULT 0,
  UNIQUE Account_email_key (email),
  UNIQUE Account_emailIndex_key (emailIndex), UNIQUE Account_emailIndex2_key (emailIndex2)
);
CREATE TABLE Login (id INT PRIMARY KEY, accountId INT NOT NULL, FOREIGN KEY (accountId) REFERENCES Account (id));
`

export interface Instance {
  readonly base: any
  readonly prisma: any
  readonly keyring: Keyring
  readonly plan: any
  readonly ddl: string
}

/** One instance of the application: each process has one of its own. */
export async function instance(provider: Provider, url: string): Promise<Instance> {
  const adapter =
    provider === 'postgresql' ? new PrismaPg({ connectionString: url }) : new PrismaMariaDb(url)
  const { PrismaClient, plan, ddl } = await generatedClient({ provider, schema: SCHEMA(provider) })
  const base = new PrismaClient({ adapter })
  const keyring = await openKeyring({
    root: localRootKey({ env: 'ROTATION_ROOT_KEY' }),
    store: sqlKeyStore(base),
    refreshMs: 100,
    maxAgeMs: MAX_AGE_MS,
  })
  const prisma = base.$extends(rowseal({ plan, keyring }))
  return { base, prisma, keyring, plan, ddl }
}
