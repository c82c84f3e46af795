import { randomBytes } from 'node:crypto'
import { setTimeout as pass } from 'node:timers/promises'
import { initKeyring, openKeyring } from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { RootKey } from '../../src/keys/types.ts'
import { DENIAL } from './roots.ts'
import { delegating, newRoot } from './support.ts'

// A process that uses keys, lets its parent look at its memory, has its KEK refused, and lets it look
// again. It tells the keys under a pad, so that nothing but the keyring holds them.

const inner = newRoot()
const pad = randomBytes(32)
const keys: [use: string, padded: string][] = []
let isDenied = false
const root: RootKey = {
  ...delegating(inner),
  create: async (context) => {
    const made = await inner.create(context)
    const padded = Buffer.from(made.key.map((byte, i) => byte ^ pad[i]!))
    keys.push([context.use, padded.toString('hex')])
    return made
  },
  unwrap: (...given) => (isDenied ? Promise.reject(DENIAL) : inner.unwrap(...given)),
}
const kekCache = { maxAgeMs: 1, maxStaleMs: 86_400_000 }
const keyring = await openKeyring({ root, store: memoryKeyStore(), wrapping: 'kms', kekCache })
await initKeyring(keyring)

async function use(): Promise<void> {
  for (let i = 0; i < 20; i++) await keyring.forProcess(await keyring.forProtect(1))
}

async function look(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc!()
    await pass(1)
  }
  process.send!({ pad: pad.toString('hex'), keys })
  await new Promise((done) => process.once('message', done))
}

await use()
await look()
isDenied = true
await pass(5)
await keyring.forProtect(1).then(
  () => process.exit(1),
  () => undefined,
)
await look()
process.disconnect()
