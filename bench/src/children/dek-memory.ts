// A process of its own with so many DEKs in its cache:  dek-memory.ts COUNT   prints bytes as JSON
import { initKeyring, openKeyring } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { memoryKeyStore } from '@rowseal/prisma-extension/stores/memory'
import { randomBytes } from 'node:crypto'

const CHUNK = 10_000
const entries = Number(process.argv[2])

async function memory(): Promise<Record<string, number>> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise((done) => setTimeout(done, 20))
  }
  const { heapUsed, arrayBuffers, external, rss } = process.memoryUsage()
  return { live: heapUsed + Math.max(external, arrayBuffers), rss }
}

const keyring = await openKeyring({
  root: localRootKey({ key: randomBytes(32) }),
  store: memoryKeyStore(),
  dekCache: { entries, maxAgeMs: 86_400_000 },
})
await initKeyring(keyring)
await keyring.forProtect(CHUNK, undefined, false)
const before = await memory()
for (let made = 0; made < entries; made += CHUNK)
  await keyring.forProtect(Math.min(CHUNK, entries - made))
const after = await memory()
console.log(
  JSON.stringify({
    entries: keyring.stats().dekCache.entries,
    live: after['live']! - before['live']!,
    rss: after['rss']! - before['rss']!,
  }),
)
