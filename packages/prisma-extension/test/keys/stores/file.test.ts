import { temporaryFolder } from '@rowseal/test-support'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileKeyStore } from '../../../src/keys/stores/file.ts'
import { conformance } from './conformance.ts'
import { editedDocument } from './documents.ts'
import { tampering } from './tampering.ts'

conformance('file', () => {
  const folder = temporaryFolder('file-store')
  const path = join(folder.path, 'keys', 'store.json')
  return Promise.resolve({
    store: fileKeyStore(path),
    another: fileKeyStore(path),
    close: closing(folder),
  })
})

tampering('file', async () => {
  const folder = temporaryFolder('file-store')
  const path = join(folder.path, 'keys', 'store.json')
  const store = fileKeyStore(path)
  await store.init()
  return {
    store,
    overwrite: async (snapshot) => {
      const document = JSON.parse(await readFile(path, 'utf8'))
      document.keyrings = document.keyrings.map((one: any) =>
        one.keyring === snapshot.head.keyring ? editedDocument(snapshot) : one,
      )
      const others = document.keyrings.filter((one: any) => one.keyring !== snapshot.head.keyring)
      const ids = others.flatMap(({ keys }: any) => keys.map(({ keyId }: any) => keyId))
      const uses = [
        ...document.uses.filter(([keyId]: [number]) => ids.includes(keyId)),
        ...snapshot.keys.map(({ keyId, uses }) => [keyId, uses]),
      ]
      document.uses = uses.sort(([a], [b]) => a - b)
      await writeFile(path, `${JSON.stringify(document, null, 1)}\n`)
    },
    close: closing(folder),
  }
})

function closing(folder: { remove(): void }): () => Promise<void> {
  return async () => folder.remove()
}
