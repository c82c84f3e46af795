import { rotate } from '@rowseal/prisma-extension/keys'
import type * as App from '../src/db.ts'
import { sentinel } from '../seed/sentinels.ts'
import type { DemoDatabase } from './databases/index.ts'
import type { Breakable } from './options.ts'

/** What `--break` does, after the drain and before the checks, so that the check of that name must fail. */
export const SPOIL: Record<
  Exclude<Breakable, 'fresh'>,
  (app: typeof App, database: DemoDatabase) => Promise<unknown>
> = {
  // The row is gone again, as are many things that are still in the files.
  'database files': async (_, { adapter }) => {
    const connection = await adapter().connect()
    const value = Buffer.from(`xx${sentinel('leak')}`).toString('base64')
    await connection.executeScript(`CREATE TABLE "Leak" ("value" TEXT);
      INSERT INTO "Leak" VALUES ('${value}'); DELETE FROM "Leak";`)
    await connection.dispose()
  },
  logs: ({ client }) => client.staff.findMany({ where: { name: { contains: sentinel('leak') } } }),
  output: () =>
    Promise.resolve(process.stderr.write(`${Buffer.from(sentinel('leak')).toString('hex')}\n`)),
  // Each opens, being bound to model and field only. The digest must notice.
  values: ({ client }) =>
    client.$executeRawUnsafe(`UPDATE "Encounter" SET "diagnosis" =
      (SELECT e."diagnosis" FROM "Encounter" e WHERE e."id" = 1) WHERE "id" = 2`),
  status: ({ keyring }) => rotate(keyring),
  verify: ({ client }) =>
    client.$executeRawUnsafe(`UPDATE "Staff" SET "homeAddress" = substr("homeAddress", 1, 60)`),
  updatedAt: ({ client }) =>
    client.$executeRawUnsafe(`UPDATE "IntakeForm" SET "updatedAt" = "signedAt"`),
}
