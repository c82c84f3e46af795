import { database, generatedClient, type TestDatabase } from '@rowseal/test-support'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { IdFunction } from '../../src/plan/index.ts'
import { FUNCTIONS } from './id-functions.ts'

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
  'Prisma makes ids of that form by %s',
  async (field, [, form]) => {
    const row = await prisma.ids.create({ data: { n: Object.keys(FUNCTIONS).indexOf(field) } })
    expect(row[field]).toMatch(form)
  },
)
