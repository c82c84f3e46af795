import { rowseal } from '@rowseal/prisma-extension'
import {
  initIndexKeys,
  initKeyring,
  openKeyring,
  registerIndex,
  type Keyring,
} from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient, type TestDatabase } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'
import { peerExtension } from './peer.ts'
import { SCHEMA } from './schema.ts'

export type Provider = 'postgresql' | 'sqlite'

/** The same tables in a database for each, and one client for each subject. */
export interface Subjects {
  readonly provider: Provider
  /** Prisma as it is. */
  readonly plain: any
  /** Prisma under a query hook that does nothing, on the plain database. */
  readonly empty: any
  readonly rowseal: any
  readonly peer: any
  /** Rowseal's client without the extension. */
  readonly base: any
  readonly keyring: Keyring
  readonly plan: any
  readonly databases: Readonly<Record<'plain' | 'rowseal' | 'peer', TestDatabase>>
  /** Where the generated client and plan are. */
  readonly clientFolder: string
  close(): Promise<void>
}

/** Open all subjects on one kind of database. */
export async function openSubjects(provider: Provider, schema = SCHEMA): Promise<Subjects> {
  process.env['ROWSEAL_BENCH_ROOT_KEY'] ??= randomBytes(32).toString('base64')
  const generated = await generatedClient({ provider, schema })
  const { PrismaClient, plan, ddl } = generated
  const open = async (): Promise<[TestDatabase, any]> => {
    const db = await database(provider)
    await db.exec(ddl)
    return [db, new PrismaClient({ adapter: db.adapter() })]
  }
  const [[plainDb, plain], [sealedDb, base], [peerDb, peerBase]] = [
    await open(),
    await open(),
    await open(),
  ]
  if (schema === SCHEMA) await plainDb.exec('CREATE INDEX "plain_email" ON "Contact" ("email");')
  const keyring = await readyKeyring(base, plan)
  return {
    provider,
    plain,
    empty: plain.$extends(EMPTY_HOOK),
    rowseal: base.$extends(rowseal({ plan, keyring })),
    peer: peerBase.$extends(await peerExtension(generated.schema)),
    base,
    keyring,
    plan,
    databases: { plain: plainDb, rowseal: sealedDb, peer: peerDb },
    clientFolder: generated.dir,
    close: async () => {
      await Promise.all([plain, base, peerBase].map((client) => client.$disconnect()))
      for (const db of [plainDb, sealedDb, peerDb]) await db.drop()
    },
  }
}

export const EMPTY_HOOK = {
  query: {
    $allModels: {
      $allOperations: ({ args, query }: any): Promise<unknown> => query(args),
    },
  },
}

/** What `rowseal init` does on empty tables. */
async function readyKeyring(base: any, plan: any): Promise<Keyring> {
  const root = localRootKey({ env: 'ROWSEAL_BENCH_ROOT_KEY' })
  const keyring = await openKeyring({ root, store: sqlKeyStore(base) })
  await initKeyring(keyring)
  for (const model of Object.values<any>(plan.models)) {
    for (const { id, normalize, unique } of Object.values<any>(model.indexes)) {
      await initIndexKeys(keyring)
      await registerIndex(keyring, { id, normalize, isUnique: unique, complete: true })
    }
  }
  return keyring
}
