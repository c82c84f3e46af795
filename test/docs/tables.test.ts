import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { runTables } from '../../packages/migrator/src/runs/ddl.ts'
import { ddlOf } from '../../packages/prisma-extension/src/keys/stores/sql-ddl.ts'

const ROOT = new URL('../../', import.meta.url).pathname

it('the README tells Prisma to leave each table of Rowseal alone, and no other', () => {
  const statements = [...ddlOf('postgresql'), ...runTables('postgresql')].join('\n')
  const tables = [...statements.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map(
    ([, name]) => name,
  )
  const readme = readFileSync(`${ROOT}README.md`, 'utf8')
  const [, list = ''] = /external: \[([^\]]*)\]/.exec(readme) ?? []
  const named = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name)
  expect(named.sort()).toEqual(tables.sort())
})
