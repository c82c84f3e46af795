import { describe, expect, it } from 'vitest'
import { database, generatedClient, isAvailable } from '../src/index.ts'

describe.each(['postgresql', 'sqlite', 'mysql'] as const)('test support on %s', (provider) => {
  it.runIf(isAvailable(provider))('gives a client on an empty database', async () => {
    const db = await database(provider)
    const { PrismaClient, ddl } = await generatedClient({
      provider,
      plan: false,
      schema: 'model Thing {\n  id Int @id\n  name String\n}',
    })
    await db.exec(ddl)
    const client = new PrismaClient({ adapter: db.adapter() })
    await client.thing.create({ data: { id: 1, name: 'one' } })
    expect(await client.thing.findMany()).toEqual([{ id: 1, name: 'one' }])
    await client.$disconnect()
    await db.drop()
  })
})
