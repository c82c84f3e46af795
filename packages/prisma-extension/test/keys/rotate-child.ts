import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import { generatedClient } from '@rowseal/test-support'
import { openKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { sqlKeyStore } from '../../src/keys/stores/sql.ts'
import { SCHEMA, type Provider } from './support.ts'

// A process that rotates when told to `go`, and says how it ended. Told to `die`, it kills itself
// between the two steps of a rotation.

const [provider, url] = process.argv.slice(2) as [Provider, string]
const adapter = {
  sqlite: () => new PrismaLibSql({ url, timeout: 5000 }),
  postgresql: () => new PrismaPg({ connectionString: url }),
  mysql: () => new PrismaMariaDb(url),
}[provider]()
const { PrismaClient } = await generatedClient({ provider, schema: SCHEMA, plan: false })
const client = new PrismaClient({ adapter })
const store = sqlKeyStore(client)
const keyring = await openKeyring({ root: localRootKey({ env: 'ROTATE_CHILD_KEY' }), store })

process.on('message', (message) => {
  if (message === 'die') {
    const write = store.write.bind(store)
    store.write = async (change) => {
      await write(change)
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => undefined)
    }
  }
  if (message === 'end') return void client.$disconnect().then(() => process.disconnect())
  rotate(keyring).then(
    ({ to }) => process.send!({ done: to.keyId }),
    (error: unknown) => process.send!({ code: (error as { code?: string }).code ?? String(error) }),
  )
})
process.send!('ready')
