import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { openKeyring, type Keyring } from '@rowseal/prisma-extension'
import { initKeyring } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { memoryKeyStore } from '@rowseal/prisma-extension/stores/memory'
import { kmsCallsOf } from '../../src/pace/kms-calls.ts'

it('calls of root keys are counted, each once', async () => {
  const root = localRootKey({ key: randomBytes(32) })
  const store = memoryKeyStore()
  const open = async (name: string): Promise<Keyring> => {
    const keyring = await openKeyring({ root, store, name, wrapping: 'kms' })
    await initKeyring(keyring)
    return keyring
  }
  const [one, other] = [await open('one'), await open('other')]
  const before = kmsCallsOf([one, other])
  expect(kmsCallsOf([one, one, other, one])).toBe(before)
  const deks = await one.forProtect(20, undefined, false)
  const made = kmsCallsOf([one, other]) - before
  expect(made).toBeGreaterThanOrEqual(1)
  one.forget()
  const results = await one.forProcessEach(deks, undefined, false)
  expect(results).toHaveLength(20)
  expect(kmsCallsOf([one, other]) - before).toBeGreaterThan(made)
})
