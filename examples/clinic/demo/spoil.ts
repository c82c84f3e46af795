import { rotate } from '@rowseal/migrator'
import { sentinel } from '../seed/sentinels.ts'
import type { Breakable } from './options.ts'
import type { Site } from './site.ts'

/** What `--break` does, after the drain and before the checks, so that the check of that name must fail. */
export const SPOIL: Record<Breakable, (site: Site) => Promise<unknown>> = {
  fresh: () => Promise.resolve(), // It is too late for that: the reading step does it.
  // The row is gone again, as are many things that are still in the files.
  'database files': async ({ database }) => {
    const connection = await database.adapter().connect()
    const value = Buffer.from(`xx${sentinel('leak')}`).toString('base64')
    await connection.executeScript(`CREATE TABLE "Leak" ("value" TEXT);
      INSERT INTO "Leak" VALUES ('${value}'); DELETE FROM "Leak";`)
    await connection.dispose()
  },
  logs: ({ app }) => app.client.staff.findMany({ where: { name: { contains: sentinel('leak') } } }),
  output: () =>
    Promise.resolve(process.stderr.write(`${Buffer.from(sentinel('leak')).toString('hex')}\n`)),
  // Each opens, being bound to model and field only. The digest must notice.
  values: ({ app }) =>
    app.client.$executeRawUnsafe(`UPDATE "Encounter" SET "diagnosis" =
      (SELECT e."diagnosis" FROM "Encounter" e WHERE e."id" = 1) WHERE "id" = 2`),
  status: ({ config }) => rotate(config, { now: true }),
  verify: ({ app }) =>
    app.client.$executeRawUnsafe(`UPDATE "Staff" SET "homeAddress" = substr("homeAddress", 1, 60)`),
  updatedAt: ({ app }) =>
    app.client.$executeRawUnsafe(`UPDATE "IntakeForm" SET "updatedAt" = "signedAt"`),
}
