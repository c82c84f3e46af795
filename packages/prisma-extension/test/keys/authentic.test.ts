import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { place, providers } from './places.ts'
import { overwriteSql } from './stores/sql-overwrite.ts'
import { tampering } from './stores/tampering.ts'

for (const provider of await providers()) {
  tampering(`SQL (${provider})`, async () => {
    const at = await place(provider)
    const client = at.client()
    const store = sqlKeyStore(client)
    await store.init()
    return {
      store,
      overwrite: (snapshot) => overwriteSql(client, provider, snapshot),
      close: () => at.drop(),
    }
  })
}
