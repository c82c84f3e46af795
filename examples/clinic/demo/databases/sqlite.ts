import { PrismaLibSql } from '@prisma/adapter-libsql'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DemoDatabase } from './index.ts'

/** A database file with a write-ahead log beside it. */
export function sqliteDatabase(folder: string): DemoDatabase {
  const files = join(folder, 'data')
  mkdirSync(files)
  const url = `file:${join(files, 'clinic.db')}`
  return {
    name: 'SQLite',
    provider: 'sqlite',
    url,
    files,
    adapter: () => new PrismaLibSql({ url, timeout: 5000 }),
    prologue: 'PRAGMA journal_mode = WAL;',
    // The log stays as it is: its raw bytes are searched too.
    flush: null,
    stop: () => Promise.resolve(),
  }
}
