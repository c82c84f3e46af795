import { describe, expect, it } from 'vitest'
import { database, generatedClient } from '../src/index.ts'
import { isAvailable } from '../src/database.ts'

describe.each(['postgresql', 'sqlite', 'mysql'] as const)('test support on %s', (provider) => {
  it.runIf(isAvailable(provider))('gives a client on an empty database', async () => {
    const db = await database(provider)
    const { PrismaClient, ddl } = await generatedClient({
      provider,
      plan: false,
      schema: 'model Thing {\n  id Int @id\n  name String\n}',
    })
    await db.exec(
      provider === 'mysql'
        ? 'CREATE TABLE Thing (id INT PRIMARY KEY, name VARCHAR(191) NOT NULL);\nCREATE TABLE Other (id INT);'
        : ddl,
    )
    const client = new PrismaClient({ adapter: db.adapter() })
    await client.thing.create({ data: { id: 1, name: 'one' } })
    expect(await client.thing.findMany()).toEqual([{ id: 1, name: 'one' }])
    await client.$disconnect()
    await db.drop()
  })
})
