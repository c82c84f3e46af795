import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DemoDatabase } from '../databases/index.ts'

const MIGRATIONS = new URL('../../prisma/migrations/', import.meta.url)

/** Create the tables, as `prisma migrate deploy` would. That needs an engine that npm does not bring. */
export async function migrate({ provider, adapter, prologue }: DemoDatabase): Promise<void> {
  const folder = new URL(`${provider}/`, MIGRATIONS)
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  const scripts = names.map((name) =>
    readFileSync(new URL(`${name}/migration.sql`, folder), 'utf8'),
  )
  const connection = await adapter().connect()
  try {
    await connection.executeScript([prologue, ...scripts].join('\n'))
  } finally {
    await connection.dispose()
  }
}

/** A new root key in a file that only its owner can read, as `localRootKey({ file })` wants it. */
export function createRootKey(folder: string): string {
  const file = join(folder, 'root.key')
  writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  return file
}
