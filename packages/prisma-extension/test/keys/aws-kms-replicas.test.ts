import { startKms } from '@rowseal/test-support'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { awsKms, type AwsKmsOptions } from '../../src/keys/providers/aws-kms.ts'
import type { RootKey } from '../../src/keys/types.ts'
import { clientConfig, failure, KEK } from './aws-support.ts'

const one = await startKms({ region: 'eu-central-1' })
const two = await startKms({ region: 'eu-west-1', world: one.world })
const three = await startKms({ region: 'us-east-1', world: one.world })
const servers = [one, two, three]

afterAll(() => Promise.all(servers.map((server) => server.stop())))
beforeEach(() => {
  for (const server of servers) {
    server.recover()
    server.forget()
  }
})

const endpoint = Object.fromEntries(servers.map(({ region, url }) => [region, url]))
const rootOf = (keyId: string, options: Partial<AwsKmsOptions> = {}): RootKey =>
  awsKms({ keyId, endpoint, clientConfig, maxAttempts: 1, ...options })
const counts = (): number[] => servers.map((server) => server.count())

/** A multi-Region key: its primary in the first region, a replica in the second. */
function replicated(alias = `alias/${Math.random().toString(36).slice(2)}`): {
  primary: string
  replica: string
  alias: string
  root: RootKey
} {
  const primary = one.createKey({ multiRegion: true, alias })
  const replica = one.world.replicate(one.key(primary), 'eu-west-1').arn
  return { primary, replica, alias, root: rootOf(primary, { replicas: [replica] }) }
}

describe('a multi-Region root key', () => {
  test('is called in the first region alone while that answers', async () => {
    const { primary, root } = replicated()
    const { key, wrapped, rootKeyId } = await root.create(KEK)
    expect(rootKeyId).toBe(primary)
    expect(await root.unwrap(wrapped, rootKeyId, KEK)).toEqual(key)
    await root.rewrap(wrapped, rootKeyId, KEK)
    expect(counts()).toEqual([3, 0, 0])
    expect(await root.regions()).toEqual(['eu-central-1', 'eu-west-1'])
  })

  test.each(['drop', 'error'] as const)(
    'goes on in the next region while the first has an outage: %s',
    async (kind) => {
      const { primary, replica, root } = replicated()
      const before = await root.create(KEK)
      one.fail({ kind })
      expect(await root.unwrap(before.wrapped, primary, KEK)).toEqual(before.key)
      const during = await root.create(KEK)
      expect(during.rootKeyId).toBe(replica)
      const moved = await root.rewrap(before.wrapped, primary, KEK)
      expect(moved.rootKeyId).toBe(replica)
      expect(await root.describe()).toMatchObject({ rootKeyId: replica, region: 'eu-west-1' })
      one.recover()
      two.fail({ kind: 'drop' })
      for (const { wrapped, rootKeyId } of [during, moved]) {
        expect(await root.unwrap(wrapped, rootKeyId, KEK)).toHaveLength(32)
      }
    },
  )

  test('pins the key of the region that is asked', async () => {
    const { primary, replica, root } = replicated()
    const { wrapped } = await root.create(KEK)
    one.fail({ kind: 'drop' })
    two.forget()
    await root.unwrap(wrapped, primary, KEK)
    expect(two.calls).toMatchObject([{ operation: 'Decrypt', keyId: replica }])
  })

  test('does not pass over a denial to the next region', async () => {
    const { primary, root } = replicated()
    const { wrapped } = await root.create(KEK)
    const attempts = async (): Promise<string[]> => [
      (await failure(root.unwrap(wrapped, primary, KEK))).code,
      (await failure(root.create(KEK))).code,
      (await failure(root.rewrap(wrapped, primary, KEK))).code,
    ]
    one.deny('*')
    expect(new Set(await attempts())).toEqual(new Set(['ERR_ROOT_KEY_DENIED']))
    one.recover()
    one.key(primary).isEnabled = false
    expect(new Set(await attempts())).toEqual(new Set(['ERR_ROOT_KEY_DISABLED']))
    one.key(primary).deletionAt = new Date()
    expect(new Set(await attempts())).toEqual(new Set(['ERR_ROOT_KEY_DELETION']))
    one.world.purge(primary)
    expect(new Set(await attempts())).toEqual(new Set(['ERR_ROOT_KEY_UNKNOWN']))
    expect(two.count()).toBe(0)
  })

  test('that is denied by the replica during an outage of the first is denied', async () => {
    const { primary, root } = replicated()
    const { wrapped } = await root.create(KEK)
    one.fail({ kind: 'drop' })
    two.deny('Decrypt')
    const error = await failure(root.unwrap(wrapped, primary, KEK))
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_DENIED', retryable: false })
  })

  test('that is out of reach everywhere is an outage', async () => {
    const { root } = replicated()
    one.fail({ kind: 'drop' })
    two.fail({ kind: 'throttle' })
    expect((await failure(root.create(KEK))).retryable).toBe(true)
    expect(counts()).toEqual([1, 1, 0])
  })

  test('may be named by an alias in the first region', async () => {
    const { alias, replica, primary } = replicated()
    const root = rootOf(alias, { region: 'eu-central-1', replicas: [replica] })
    const { key, wrapped, rootKeyId } = await root.create(KEK)
    expect(rootKeyId).toBe(primary)
    one.fail({ kind: 'drop' })
    expect(await root.unwrap(wrapped, rootKeyId, KEK)).toEqual(key)
  })

  test('made elsewhere unwraps where the instance is', async () => {
    const { primary, replica, root } = replicated()
    const { key, wrapped } = await root.create(KEK)
    one.forget()
    expect(await rootOf(replica).unwrap(wrapped, primary, KEK)).toEqual(key)
    expect(counts()).toEqual([0, 1, 0])
  })

  test('is rotated at its primary key, from a replica too', async () => {
    const { primary, replica, root } = replicated()
    expect((await root.rotate!('now')).rootKeyId).toBe(primary)
    const away = rootOf(replica, { replicas: [primary] })
    expect((await away.rotate!({ automaticDays: 365 })).rootKeyId).toBe(primary)
    expect((await root.describe(replica)).rotation).toMatchObject({ isAutomatic: true })
    const error = await failure(rootOf(replica).rotate!('now'))
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_REGION' })
  })
})

describe('a key stored under another root key', () => {
  test('of the same region and account unwraps', async () => {
    const [old, now] = [one.createKey(), one.createKey()]
    const { key, wrapped } = await rootOf(old).create(KEK)
    expect(await rootOf(now).unwrap(wrapped, old, KEK)).toEqual(key)
  })

  test('of another region is refused before any call, unless it is listed', async () => {
    const [old, now] = [three.createKey(), one.createKey()]
    const { key, wrapped } = await rootOf(old).create(KEK)
    three.forget()
    const error = await failure(rootOf(now).unwrap(wrapped, old, KEK), key, wrapped)
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_REGION', retryable: false })
    expect(error.message).toContain(old)
    expect(counts()).toEqual([0, 0, 0])
    const root = rootOf(now, { former: [old] })
    expect(await root.unwrap(wrapped, old, KEK)).toEqual(key)
    expect(await root.describe(old)).toMatchObject({ rootKeyId: old, region: 'us-east-1' })
    expect(await root.regions()).toEqual(['eu-central-1', 'us-east-1'])
  })

  test('of another region is not moved, as it would have to leave KMS', async () => {
    const [old, now] = [three.createKey(), one.createKey()]
    const { wrapped } = await rootOf(old).create(KEK)
    three.forget()
    const error = await failure(rootOf(now, { former: [old] }).rewrap(wrapped, old, KEK), wrapped)
    expect(error).toMatchObject({ code: 'ERR_ROOT_KEY_REGION', retryable: false })
    expect(counts()).toEqual([0, 0, 0])
  })

  test.each([
    'arn:aws:kms:eu-central-1:999999999999:key/1',
    'arn:aws-cn:kms:eu-central-1:111122223333:key/1',
    'arn:aws:kms:eu-central-1:111122223333:alias/x',
    'local:0123456789abcdef',
    '',
    '\n\u0000',
  ])('is refused before any call if that is %j', async (rootKeyId) => {
    const root = rootOf(one.createKey())
    const wrapped = Buffer.from('a wrapped key')
    for (const call of [
      () => root.unwrap(wrapped, rootKeyId, KEK),
      () => root.rewrap(wrapped, rootKeyId, KEK),
      () => root.describe(rootKeyId),
    ]) {
      expect((await failure(call(), wrapped)).code).toBe('ERR_KEY_MISMATCH')
    }
    expect(counts()).toEqual([0, 0, 0])
    expect(root.regionOf('local:0123456789abcdef')).toBeNull()
  })
})
