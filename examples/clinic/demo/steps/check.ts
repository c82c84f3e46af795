import { status, verify } from '@rowseal/migrator'
import { join } from 'node:path'
import {
  checkFiles,
  checkOutput,
  checkUpdatedAt,
  checkValues,
  fails,
  passes,
  type Check,
} from '../checks.ts'
import { count } from '../print.ts'
import type { Site } from '../site.ts'
import { readUpdatedAt } from '../updated-at.ts'
import type { Lazy } from './read.ts'
import type { Written } from './write.ts'

export interface Before {
  readonly written: ReadonlyMap<string, Written>
  /** `updatedAt` of every row before the rotation. */
  readonly before: ReadonlyMap<string, number>
  readonly lazy: Lazy
}

export interface Checked {
  readonly checks: readonly Check[]
  readonly status: { readonly stale: number }
  readonly digests: Record<string, { written: string; read: string | null }>
}

/** Everything that has to hold in the end. All checks are made, even if one fails. */
export async function check(site: Site, { written, before, lazy }: Before): Promise<Checked> {
  const { app, config, database, folder, print, printed } = site
  print.heading(7, 'Check')
  const checks: Check[] = []
  const add = (one: Check): void => {
    checks.push(one)
    print.check(one.ok, one.name, one.says)
  }
  add(lazy.check)
  const { stale } = await status(config)
  add(stale === 0 ? passes('status', '0 values are stale') : fails('status', `${stale} are stale`))
  const { opened, bad } = await verify(config)
  add(
    bad === 0
      ? passes('verify', `all ${count(opened)} sealed values open`)
      : fails('verify', `${count(bad)} values do not open`),
  )
  const values = await checkValues(app.prisma, written)
  add(values.check)
  add(checkUpdatedAt(before, await readUpdatedAt(app.client)))
  if (database.flush !== null) await app.client.$executeRawUnsafe(database.flush)
  add(checkFiles('database files', database.files, 'some'))
  add(checkFiles('logs', join(folder, 'logs'), 'every'))
  add(checkOutput(printed()))
  return { checks, status: { stale }, digests: values.digests }
}
