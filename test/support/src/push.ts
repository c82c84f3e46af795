import { PrismaLibSql } from '@prisma/adapter-libsql'
import { readFileSync } from 'node:fs'
import { ddlOf } from './schema-engine.ts'

/**
 * `prisma db push` for an empty SQLite file, where Prisma's own engine cannot be downloaded:
 *
 *   tsx push.ts prisma/schema.prisma file:./clinic.db
 */
const [schema, url] = process.argv.slice(2)
if (schema === undefined || url === undefined) throw new Error('usage: push.ts SCHEMA URL')
const ddl = await ddlOf(readFileSync(schema, 'utf8'), new PrismaLibSql({ url: ':memory:' }))
const connection = await new PrismaLibSql({ url }).connect()
await connection.executeScript(ddl)
await connection.dispose()
