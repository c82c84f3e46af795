import { memoryKeyStore } from '../../../src/keys/stores/memory.ts'
import { conformance } from './conformance.ts'

conformance('memory', () => {
  const store = memoryKeyStore()
  return Promise.resolve({ store, another: store, close: () => Promise.resolve() })
})
