import { describe } from 'vitest'
import { redisKeyStore } from '../../../src/keys/stores/redis.ts'
import { conformance } from './conformance.ts'
import { editedDocument } from './documents.ts'
import { redisPlace, redisUrl } from './redis-place.ts'
import { tampering } from './tampering.ts'

const url = redisUrl()

// Left out, with the loud line of redisUrl, only where there is no server; CI has one.
describe.runIf(url !== null)('with a server', () => {
  conformance('Redis', () => {
    const place = redisPlace(url!)
    const [store, another] = [1, 2].map(() =>
      redisKeyStore(place.client(), { prefix: place.prefix }),
    )
    return Promise.resolve({ store: store!, another: another!, close: place.close })
  })

  tampering('Redis', async () => {
    const place = redisPlace(url!)
    const client = place.client()
    const store = redisKeyStore(client, { prefix: place.prefix })
    await store.init()
    return {
      store,
      overwrite: async (snapshot) => {
        const { keyring } = snapshot.head
        const text = JSON.stringify(editedDocument(snapshot))
        await client.hset(place.prefix, `keyring:${keyring}`, text)
        for (const { keyId, uses } of snapshot.keys)
          await client.hset(place.prefix, `uses:${keyId}`, uses)
      },
      close: place.close,
    }
  })
})
