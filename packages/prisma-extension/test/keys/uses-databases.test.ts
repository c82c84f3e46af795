import { describe, expect, test } from 'vitest'
import { initKeyring, openKeyring } from '../../src/keys/index.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import type { KeyStore } from '../../src/keys/types.ts'
import { place, providers } from './places.ts'
import { newRoot } from './support.ts'

const usesOf = async (store: KeyStore): Promise<number> =>
  (await store.read('default'))!.keys.find(({ keyId }) => keyId === 1)!.uses

describe.each(await providers())('uses inside transactions on %s', (provider) => {
  test('that are rolled back are counted with the next block', async () => {
    const at = await place(provider)
    const client = at.client()
    const store = sqlKeyStore(client)
    const keyring = await openKeyring({ root: newRoot(), store })
    await initKeyring(keyring)
    let transaction: unknown
    const hooked = client.$extends({
      query: {
        $allOperations: ({ args, query, __internalParams }: any) => {
          transaction = __internalParams.transaction
          return query(args)
        },
      },
    })
    let [kept, made] = [0, 0]
    for (let id = 1; id <= 6; id++) {
      const run = hooked.$transaction(async (tx: any) => {
        await tx.note.create({ data: { id, text: '' } })
        made += (await keyring.forProtect(400, { client, transaction })).length
        if (id % 2 === 0) throw new Error('roll back')
        kept += 400
      })
      await run.catch((error: unknown) => expect(String(error)).toContain('roll back'))
      expect(await usesOf(store)).toBeGreaterThanOrEqual(kept)
    }
    await keyring.forProtect(400)
    expect(made).toBe(2400)
    expect(await usesOf(store)).toBeGreaterThanOrEqual(made + 400)
    expect(await client.note.count()).toBe(3)
    await at.drop()
  })
})
