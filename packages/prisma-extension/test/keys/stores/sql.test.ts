import { sqlKeyStore } from '../../../src/keys/stores/sql.ts'
import { place, providers, type Place } from '../places.ts'
import { conformance } from './conformance.ts'

for (const provider of await providers()) {
  conformance(`SQL (${provider})`, async () => {
    const at: Place = await place(provider)
    const store = sqlKeyStore(at.client())
    // libsql waits for a lock with the whole thread, so in one process a second pool only gets
    // SQLITE_BUSY. Two processes race in lifecycle.test.ts.
    const another = provider === 'sqlite' ? store : sqlKeyStore(at.client())
    return { store, another, close: () => at.drop() }
  })
}
