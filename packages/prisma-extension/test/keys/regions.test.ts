import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { startKms } from '@rowseal/test-support'
import { initKeyring, openKeyring, rotate } from '../../src/keys/index.ts'
import { awsKms } from '../../src/keys/providers/aws-kms.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { withinRegions } from '../../src/keys/root/regions.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import type { RootKey } from '../../src/keys/types.ts'
import { delegating, watchedStore } from './support.ts'

const kms = await startKms({ region: 'eu-central-1' })
const other = await startKms({ region: 'us-east-1', world: kms.world })
const clientConfig = { credentials: { accessKeyId: 'tester', secretAccessKey: 'none' } }
const endpoint = { 'eu-central-1': kms.url, 'us-east-1': other.url }
const context = { keyring: 'default', keyId: 1, use: 'kek' } as const

afterAll(() => Promise.all([kms.stop(), other.stop()]))
beforeEach(() => {
  kms.forget()
  other.forget()
})

const rootIn = (keyId: string, former: readonly string[] = []): RootKey =>
  awsKms({ keyId, former, endpoint, clientConfig })

const refusal = { name: 'KeyError', code: 'ERR_ROOT_KEY_REGION', retryable: false }

describe('a keyring with allowed regions', () => {
  test('opens, rotates and serves with a root key in one of them', async () => {
    const root = rootIn(kms.createKey())
    const store = memoryKeyStore()
    const allowedRegions = ['eu-west-1', 'eu-central-1']
    const keyring = await openKeyring({ root, store, allowedRegions })
    await initKeyring(keyring)
    await rotate(keyring)
    const [dek] = await keyring.forProtect(1)
    const again = await openKeyring({ root, store, allowedRegions })
    expect(await again.forProcess([dek!])).toHaveLength(1)
    expect(await keyring.root.rotate!('now')).toMatchObject({ region: 'eu-central-1' })
  })

  test('is not opened with a root key elsewhere, before any call and any read', async () => {
    const store = watchedStore(memoryKeyStore())
    const root = rootIn(other.createKey())
    await expect(openKeyring({ root, store, allowedRegions: ['eu-central-1'] })).rejects.toThrow(
      expect.objectContaining({ ...refusal, message: expect.stringContaining('us-east-1') }),
    )
    expect([kms.count(), other.count(), store.reads]).toEqual([0, 0, 0])
  })

  test('is not opened with a root key that has one replica or former key elsewhere', async () => {
    const store = memoryKeyStore()
    const root = rootIn(kms.createKey(), [other.createKey()])
    const attempt = openKeyring({ root, store, allowedRegions: ['eu-central-1'] })
    await expect(attempt).rejects.toMatchObject(refusal)
  })

  test('is not opened with a root key that is in no region', async () => {
    const root = localRootKey({ key: randomBytes(32) })
    const attempt = openKeyring({ root, store: memoryKeyStore(), allowedRegions: ['eu-central-1'] })
    await expect(attempt).rejects.toThrow(
      expect.objectContaining({ ...refusal, message: expect.stringContaining('is in no region') }),
    )
  })

  test('does not unwrap a key stored under a root key elsewhere, and calls nobody', async () => {
    const abroad = other.createKey()
    const store = memoryKeyStore()
    await initKeyring(await openKeyring({ root: rootIn(abroad), store }))
    other.forget()
    const liar: RootKey = { ...delegating(rootIn(abroad)), regions: async () => ['eu-central-1'] }
    const attempt = openKeyring({ root: liar, store, allowedRegions: ['eu-central-1'] })
    await expect(attempt).rejects.toMatchObject(refusal)
    expect(other.count()).toBe(0)
  })

  test.each([[[]], [['']], [['eu central']], ['eu-central-1'], [[1]], [null]])(
    'is refused as misuse with %j',
    async (allowedRegions) => {
      const root = localRootKey({ key: randomBytes(32) })
      const options = { root, store: memoryKeyStore(), allowedRegions: allowedRegions as never }
      await expect(openKeyring(options)).rejects.toThrow(TypeError)
    },
  )
})

describe('a root key within regions', () => {
  test('refuses each of its methods, and zeroes a key made elsewhere', async () => {
    const abroad = rootIn(other.createKey())
    const made = await abroad.create(context)
    const bounded = withinRegions(abroad, ['eu-central-1'])
    const { wrapped, rootKeyId } = made
    other.forget()
    for (const attempt of [
      () => bounded.create(context),
      () => bounded.unwrap(wrapped, rootKeyId, context),
      () => bounded.rewrap(wrapped, rootKeyId, context),
      () => bounded.describe(),
      () => bounded.describe(rootKeyId),
      () => bounded.rotate!('now'),
      () => bounded.regions(),
    ]) {
      await expect(attempt()).rejects.toMatchObject(refusal)
    }
    expect(other.count()).toBe(0)

    const strayed = delegating(rootIn(kms.createKey()))
    strayed.create = async () => made
    await expect(withinRegions(strayed, ['eu-central-1']).create(context)).rejects.toMatchObject(
      refusal,
    )
    expect(made.key).toEqual(Buffer.alloc(32))
  })

  test('rotates only if the root key does', () => {
    const local = localRootKey({ key: randomBytes(32) })
    expect(withinRegions(local, ['eu-central-1']).rotate).toBeUndefined()
    expect(withinRegions(rootIn(kms.createKey()), ['eu-central-1']).rotate).toBeTypeOf('function')
  })

  test('shows its root key and its regions', () => {
    const bounded = withinRegions(rootIn(kms.createKey()), ['eu-central-1'])
    expect(inspect(bounded)).toMatch(/aws-kms.*within eu-central-1/s)
    expect(JSON.parse(JSON.stringify(bounded))).toMatchObject({
      provider: 'aws-kms',
      allowedRegions: ['eu-central-1'],
    })
  })
})
