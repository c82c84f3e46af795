import { hasRedis, startRedis, type RedisServer } from '@rowseal/test-support'
import { Redis } from 'ioredis'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { initKeyring, openKeyring, rotate } from '../../../src/keys/index.ts'
import { redisKeyStore, type RedisKeyStoreOptions } from '../../../src/keys/stores/redis.ts'
import { newRoot, rowOf, writeOf } from '../support.ts'
import { redisUrl } from './redis-place.ts'

// What needs a server of its own: one that is ended, started again, or set otherwise.

const outage = { code: 'ERR_KEY_UNAVAILABLE', retryable: true }
const isHere = redisUrl() !== null && hasRedis()

describe.skipIf(!isHere)('the Redis key store on a server', () => {
  const servers: RedisServer[] = []
  const clients: Redis[] = []
  let server: RedisServer

  async function started(...settings: string[]): Promise<RedisServer> {
    const made = await startRedis(settings)
    servers.push(made)
    return made
  }
  function clientOf({ url }: RedisServer, options = {}): Redis {
    const client = new Redis(url, { retryStrategy: () => 20, ...options })
    client.on('error', () => undefined)
    clients.push(client)
    return client
  }
  const storeOn = (server: RedisServer, options?: RedisKeyStoreOptions) =>
    redisKeyStore(clientOf(server), options)

  beforeAll(async () => {
    server = await started()
  })
  afterEach(() => vi.restoreAllMocks())
  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await Promise.all(servers.map((one) => one.stop()))
  })

  test('that loses power has every write that was answered, and every use', async () => {
    const own = await started()
    const store = storeOn(own)
    const keyring = await openKeyring({ root: newRoot(), store })
    await initKeyring(keyring)
    for (let round = 1; round <= 5; round++) {
      await rotate(keyring)
      await keyring.forProtect(1)
      const before = await store.read('default')
      await own.restart()
      expect(await storeOn(own).read('default')).toEqual(before)
      expect(before!.head.revision).toBe(1 + 2 * round)
    }
  })

  test('that is down is an outage; sealing goes on for a while, and everything once it is back', async () => {
    const own = await started()
    const store = storeOn(own, { timeoutMs: 300 })
    const root = newRoot()
    const keyring = await openKeyring({ root, store })
    await initKeyring(keyring)
    await keyring.forProtect(1)
    await own.kill()
    await expect(store.read('default')).rejects.toMatchObject(outage)
    await expect(store.reserve(1, 1, 10)).rejects.toMatchObject(outage)
    await expect(rotate(keyring)).rejects.toMatchObject(outage)
    await expect(openKeyring({ root, store })).rejects.toMatchObject(outage)
    expect(await keyring.forProtect(1)).toHaveLength(1)
    await own.start()
    await expect
      .poll(() =>
        store.read('default').then(
          () => 'up',
          () => 'down',
        ),
      )
      .toBe('up')
    expect((await rotate(keyring)).to.keyId).toBe(2)
  })

  test('that is down from the start is an outage, whatever the client does with its queue', async () => {
    const own = await started()
    await own.kill()
    const given = [
      { enableOfflineQueue: false },
      { maxRetriesPerRequest: 0 },
      { maxRetriesPerRequest: null },
    ]
    for (const options of given) {
      const store = redisKeyStore(clientOf(own, options), { timeoutMs: 300 })
      await expect(store.read('default')).rejects.toMatchObject(outage)
      await expect(store.init()).rejects.toMatchObject(outage)
    }
  })

  test('whose client was closed is an outage', async () => {
    const client = clientOf(server)
    const store = redisKeyStore(client)
    await client.quit()
    await expect(store.read('default')).rejects.toMatchObject(outage)
  })

  test('that is a replica, or lacks replicas, is an outage for writes', async () => {
    const replica = await started('--replicaof', '127.0.0.1', String(server.port))
    const store = storeOn(replica, { durability: 'unchecked' })
    await expect(store.init()).rejects.toMatchObject({
      ...outage,
      message: expect.stringContaining('READONLY'),
    })
    const confirmed = storeOn(server, { prefix: 'confirmed', replicas: 1 })
    const asked = clientOf(replica)
    await expect
      .poll(async () => (await asked.info('replication')).includes('link_status:up'), {
        timeout: 30_000,
      })
      .toBe(true)
    await confirmed.init()
    expect(await confirmed.write(writeOf(null, { rows: [rowOf(1)] }))).toBe(true)
    const odd = storeOn(server, { prefix: 'confirmed', replicas: 1, timeoutMs: 4999 }) // its half is no whole number
    expect(await odd.reserve(1, 1, 10)).toBe(true)
    await replica.kill()
    const alone = storeOn(server, { prefix: 'confirmed', replicas: 1, timeoutMs: 400 })
    await expect(alone.reserve(1, 1, 10)).rejects.toMatchObject({
      ...outage,
      message: expect.stringContaining('fewer than 1 replicas'),
    })
  })

  test.each([
    [
      'evicts keys',
      ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'],
      /maxmemory-policy allkeys-lru/,
    ],
    ['has no log of its writes', ['--appendonly', 'no'], /appendonly no/],
  ])(
    'that %s is refused by init and by the first write, unless somebody answers for it',
    async (_, settings, why) => {
      const own = await started(...settings)
      const store = storeOn(own)
      const refusal = { code: 'ERR_STORE_UNSAFE', message: expect.stringMatching(why) }
      await expect(store.init()).rejects.toMatchObject(refusal)
      await expect(store.write(writeOf(null, { rows: [rowOf(1)] }))).rejects.toMatchObject(refusal)
      const unchecked = storeOn(own, { durability: 'unchecked' })
      await unchecked.init()
      expect(await unchecked.write(writeOf(null, { rows: [rowOf(1)] }))).toBe(true)
      expect((await store.read('default'))!.keys).toHaveLength(1)
    },
  )

  test.each([
    ['evicts only what expires', ['--maxmemory', '50mb', '--maxmemory-policy', 'volatile-lru']],
    ['has no limit to evict at', ['--maxmemory-policy', 'allkeys-lru']],
  ])('that %s is taken', async (_, settings) => {
    await storeOn(await started(...settings)).init()
  })

  test('that may lose its last second is taken with a warning', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    await storeOn(server, { prefix: 'quiet' }).init()
    expect(warn).not.toHaveBeenCalled()
    await storeOn(await started('--appendfsync', 'everysec')).init()
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('appendfsync is not always'), { code: 'ROWSEAL_REDIS_DURABILITY' }],
    ])
  })

  test('that lets the user neither INFO nor CONFIG is taken with a warning', async () => {
    await clientOf(server).call(
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>pw',
      '~*',
      '+@hash',
      '+eval',
      '+ping',
    )
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const client = clientOf(server, { username: 'app', password: 'pw', enableReadyCheck: false })
    const store = redisKeyStore(client, { prefix: 'acl' })
    await store.init()
    expect(await store.write(writeOf(null, { rows: [rowOf(1)] }))).toBe(true)
    expect(warn.mock.calls[0]![0]).toContain('does not say')
  })

  test('that refuses the user is no outage, and is said without what was sent', async () => {
    await clientOf(server).call('ACL', 'SETUSER', 'reader', 'on', '>pw', '~*', '+@read')
    const client = clientOf(server, { username: 'reader', password: 'pw', enableReadyCheck: false })
    const store = redisKeyStore(client, { prefix: 'x', durability: 'unchecked' })
    const row = rowOf(1, { rootKeyId: 'local:feedfeedfeedfeed' })
    const error = await store
      .write(writeOf(null, { rows: [row] }))
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: false })
    expect((error as Error).message).toContain('NOPERM')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/feedfeed|HGET|keyring:/)
  })

  test('with something else under its name is no outage', async () => {
    await clientOf(server).set('taken', 'by somebody')
    const store = storeOn(server, { prefix: 'taken' })
    await expect(store.read('default')).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: false,
      message: expect.stringContaining('WRONGTYPE'),
    })
  })

  test('written by a newer version is neither read nor changed', async () => {
    const store = storeOn(server, { prefix: 'newer' })
    await store.init()
    expect(await store.write(writeOf(null, { rows: [rowOf(1)] }))).toBe(true)
    const before = (await store.read('default'))!
    await clientOf(server).hset('newer', 'format', '3')
    const newer = { code: 'ERR_STORE_NEWER' }
    await expect(store.read('default')).rejects.toMatchObject(newer)
    await expect(store.write(writeOf(before, {}))).rejects.toMatchObject(newer)
    await expect(store.reserve(1, 1, 10)).rejects.toMatchObject(newer)
    await expect(store.init()).rejects.toMatchObject(newer)
    await expect(store.nextKeyId()).rejects.toMatchObject(newer)
  })

  test('keeps all of a store in one hash', async () => {
    const own = await started()
    const store = storeOn(own)
    const keyring = await openKeyring({ root: newRoot(), store })
    await initKeyring(keyring)
    await keyring.forProtect(1)
    expect(await clientOf(own).keys('*')).toEqual(['rowseal'])
    const prefixed = redisKeyStore(clientOf(own, { keyPrefix: 'app:' }))
    expect(await prefixed.read('default')).toBeNull()
    await prefixed.init()
    expect((await clientOf(own).keys('*')).sort()).toEqual(['app:rowseal', 'rowseal'])
  })

  test.each([
    ['not JSON', 'gone'],
    ['nothing', ''],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['white space', (text: string) => ` ${text}`],
    ['a field twice', (text: string) => text.replace('{', '{"revision":1,')],
    ['a field too many', (text: string) => text.replace('"keys":', '"more":1,"keys":')],
    ['keys that are no list', (text: string) => text.replace(/"keys":\[.*\]\}$/, '"keys":{}}')],
    ['a key id as text', (text: string) => text.replace('"keyId":1', '"keyId":"1"')],
    ['a state of no kind', (text: string) => text.replace('"active"', '"toString"')],
    [
      'base64 with other spare bits',
      (text: string) => text.replace(/(.)="/, (_, c) => `${c === 'B' ? 'C' : 'B'}="`),
    ],
  ])('with %s for a document is refused as written by somebody else', async (_, edit) => {
    const prefix = `edited:${_}`
    const store = storeOn(server, { prefix })
    const keyring = await openKeyring({ root: newRoot(), store })
    await initKeyring(keyring)
    const client = clientOf(server)
    const text = (await client.hget(prefix, 'keyring:default'))!
    await client.hset(prefix, 'keyring:default', typeof edit === 'string' ? edit : edit(text))
    const refusal = { code: 'ERR_STORE_TAMPERED' }
    await expect(store.read('default')).rejects.toMatchObject(refusal)
    await expect(rotate(keyring)).rejects.toMatchObject(refusal)
  })

  test('with uses that are no number is refused', async () => {
    const store = storeOn(server, { prefix: 'uses' })
    const keyring = await openKeyring({ root: newRoot(), store })
    await initKeyring(keyring)
    await clientOf(server).hset('uses', 'uses:1', 'many')
    await expect(keyring.refresh()).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
  })

  test.each([
    ['no client', undefined, {}],
    ['an empty prefix', 'client', { prefix: '' }],
    ['negative replicas', 'client', { replicas: -1 }],
    ['no time', 'client', { timeoutMs: 0 }],
  ])('takes no %s', (_, client, options) => {
    const redis = client === undefined ? ({} as unknown as Redis) : clientOf(server)
    expect(() => redisKeyStore(redis, options)).toThrow(TypeError)
  })
})
