import { database, generatedClient, type TestDatabase } from '@rowseal/test-support'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { IdFunction } from '../../src/plan/index.ts'
import { newId } from '../../src/query/new-id.ts'

const FUNCTIONS: Readonly<Record<string, readonly [IdFunction, form: RegExp]>> = {
  uuid: [{ name: 'uuid' }, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/],
  uuid4: [
    { name: 'uuid', argument: 4 },
    /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  ],
  uuid7: [
    { name: 'uuid', argument: 7 },
    /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  ],
  cuid: [{ name: 'cuid' }, /^c[a-z\d]{24}$/],
  cuid2: [{ name: 'cuid', argument: 2 }, /^[a-z][a-z\d]{23}$/],
  ulid: [{ name: 'ulid' }, /^[0-7][\dA-HJKMNP-TV-Z]{25}$/],
  nanoid: [{ name: 'nanoid' }, /^[\w-]{21}$/],
  nanoid9: [{ name: 'nanoid', argument: 9 }, /^[\w-]{9}$/],
}
const written = ({ name, argument }: IdFunction): string => `${name}(${argument ?? ''})`
const schema = `model Ids {
  n Int @id
${Object.entries(FUNCTIONS)
  .map(([field, [id]]) => `  ${field} String @default(${written(id)})`)
  .join('\n')}
}`

let db: TestDatabase
let prisma: any
beforeAll(async () => {
  db = await database('sqlite')
  const { PrismaClient, ddl } = await generatedClient({ provider: 'sqlite', schema })
  await db.exec(ddl)
  prisma = new PrismaClient({ adapter: db.adapter() })
})
afterAll(async () => {
  await prisma.$disconnect()
  await db.drop()
})

it.each(Object.entries(FUNCTIONS))(
  'makes ids of the form that Prisma gives %s',
  async (field, [id, form]) => {
    const row = await prisma.ids.create({ data: { n: Object.keys(FUNCTIONS).indexOf(field) } })
    expect(row[field]).toMatch(form)
    const ids = Array.from({ length: 100 }, () => newId(id))
    for (const made of ids) expect(made).toMatch(form)
    expect(new Set(ids).size).toBe(100)
  },
)
