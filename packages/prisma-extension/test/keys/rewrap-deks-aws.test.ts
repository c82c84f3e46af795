import { startKms, type KmsServer } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  initKeyring,
  openKeyring,
  rewrapDeks,
  rotate,
  type Keyring,
  type KeyringOptions,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { Dek, KeyStore } from '../../src/keys/types.ts'
import { REGION, rootAt } from './aws-support.ts'
import { openedBy, wrappedOf } from './rings.ts'

describe('re-wrapping DEKs in AWS KMS', () => {
  let kms: KmsServer
  let store: KeyStore
  beforeAll(async () => {
    kms = await startKms({ region: REGION })
  })
  afterAll(() => kms.stop())
  beforeEach(() => {
    store = memoryKeyStore()
  })

  async function atKms(options: Partial<KeyringOptions> = {}): Promise<[Keyring, Dek[]]> {
    const alias = `alias/${randomBytes(4).toString('hex')}`
    kms.createKey({ alias })
    const root = rootAt(kms.url, alias)
    const keyring = await openKeyring({ root, store, wrapping: 'kms', ...options })
    await initKeyring(keyring)
    const deks = await keyring.forProtect(12)
    await rotate(keyring)
    kms.forget()
    return [keyring, deks]
  }

  test('takes one ReEncrypt for each DEK, and gives none of them out', async () => {
    const [keyring, deks] = await atKms()
    const wanted = [...deks, ...deks].map(wrappedOf)
    const moved = await rewrapDeks(keyring, wanted)
    const ofDeks = kms.calls.filter(({ context }) => context?.['rowseal:use'] === 'dek')
    expect(ofDeks.map(({ operation }) => operation)).toEqual(Array(12).fill('ReEncrypt'))
    expect(ofDeks[0]!.context).toMatchObject({ 'rowseal:keyId': String(deks[0]!.keyId) })
    keyring.forget()
    expect(await openedBy(keyring, moved, [...deks, ...deks])).toEqual(Array(24).fill(true))
  })

  test('stops at the first call that is denied', async () => {
    const [keyring, deks] = await atKms({ kms: { concurrency: 2 } })
    kms.deny('ReEncryptTo')
    await expect(rewrapDeks(keyring, deks.map(wrappedOf))).rejects.toMatchObject({
      code: 'ERR_ROOT_KEY_DENIED',
    })
    kms.recover()
    expect(kms.count('ReEncrypt')).toBeLessThanOrEqual(2)
  })
})
