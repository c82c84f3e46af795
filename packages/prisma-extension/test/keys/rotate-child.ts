import { openKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { openHome, type HomeKind } from './homes.ts'

// A process that rotates when told to `go`, or from a key id when told that, and says how it ended. Told to
// `die`, it kills itself between the two steps of a rotation; told to `reserve`, it reserves uses until it is
// killed, and says each time how many it has.

const [kind, at] = process.argv.slice(2) as [HomeKind, string]
const { store, close } = await openHome(kind, at)
const keyring = await openKeyring({ root: localRootKey({ env: 'ROTATE_CHILD_KEY' }), store })

process.on('message', (message: 'go' | 'die' | 'end' | 'reserve' | number) => {
  if (message === 'end') return void close().then(() => process.disconnect())
  if (message === 'reserve') return void reserve()
  if (message === 'die') {
    const write = store.write.bind(store)
    store.write = async (change) => {
      await write(change)
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => undefined)
    }
  }
  rotate(keyring, typeof message === 'number' ? { from: message } : {}).then(
    ({ to }) => process.send!({ done: to.keyId }),
    (error: unknown) => process.send!({ code: (error as { code?: string }).code ?? String(error) }),
  )
})
process.send!('ready')

async function reserve(): Promise<void> {
  for (let held = 1; ; held++) {
    await store.reserve(1, 1, 2 ** 32)
    process.send!({ held })
  }
}
