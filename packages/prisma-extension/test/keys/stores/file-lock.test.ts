import { temporaryFolder } from '@rowseal/test-support'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { withLock } from '../../../src/keys/stores/file-lock.ts'
import { deadPid } from './dead-pid.ts'

const folder = temporaryFolder('file-lock')
afterEach(() => vi.restoreAllMocks())
afterAll(() => folder.remove())

let path: string
beforeEach(() => {
  for (const entry of readdirSync(folder.path)) rmSync(join(folder.path, entry))
  path = join(folder.path, 'store.lock')
})
const left = (): string[] => readdirSync(folder.path)
const holder = (): any => JSON.parse(readFileSync(path, 'utf8'))
/** What the lock of this process says. */
const own = (): Promise<any> => withLock(path, 1000, () => Promise.resolve(holder()))
describe('the lock of a file', () => {
  test('says whose it is, to its owner alone, and goes with what was done', async () => {
    const result = await withLock(path, 1000, () => {
      expect(left()).toEqual(['store.lock'])
      expect(statSync(path).mode & 0o777).toBe(0o600)
      return Promise.resolve(holder())
    })
    expect(result).toEqual({
      token: expect.stringMatching(/^[0-9a-f-]{36}$/),
      host: hostname(),
      boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      space: expect.stringMatching(/^pid:\[\d+\]$/),
      pid: process.pid,
      started: expect.stringMatching(/^\d+$/),
    })
    expect(left()).toEqual([])
  })

  test('goes when what was done failed, and when somebody took it away', async () => {
    const failing = withLock(path, 1000, () => Promise.reject(new Error('mine')))
    await expect(failing).rejects.toThrow('mine')
    expect(left()).toEqual([])
    const taken = await withLock(path, 1000, () => {
      rmSync(path)
      return Promise.resolve('done')
    })
    expect(taken).toBe('done')
  })

  test('is held by one at a time', async () => {
    let inside = 0
    const one = async (): Promise<void> => {
      expect(++inside).toBe(1)
      await new Promise((done) => setTimeout(done, 2))
      inside--
    }
    await Promise.all(Array.from({ length: 10 }, () => withLock(path, 5000, one)))
    expect(left()).toEqual([])
  })

  test('in no folder is an error, and no wait', async () => {
    const nowhere = join(folder.path, 'none', 'store.lock')
    await expect(withLock(nowhere, 60_000, () => Promise.resolve())).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })

  test('that lives is waited for, then its process is named, and what to do', async () => {
    const mine = await own()
    const text = JSON.stringify({ ...mine, token: 'x' })
    writeFileSync(path, text)
    const began = performance.now()
    await expect(withLock(path, 50, () => Promise.resolve())).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining(`locked by process ${process.pid}. Try again`),
    })
    expect(performance.now() - began).toBeGreaterThanOrEqual(50)
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(left()).toEqual(['store.lock'])
  })

  test.each<[string, object, string]>([
    ['another host', { host: 'elsewhere', boot: 'b', pid: 4711 }, '4711 of host elsewhere'],
    ['another container', { space: 'pid:[1]', pid: 2 ** 22 + 1 }, String(2 ** 22 + 1)],
  ])('of %s is never taken over', async (_, change, named) => {
    const text = JSON.stringify({ ...(await own()), token: 'x', started: '1', ...change })
    writeFileSync(path, text)
    const refused = withLock(path, 30, () => Promise.resolve())
    await expect(refused).rejects.toThrow(`locked by process ${named}.`)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('of a process that belongs to another user is never taken over', async () => {
    const text = JSON.stringify({ ...(await own()), token: 'x', started: '1' })
    writeFileSync(path, text)
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not permitted'), { code: 'EPERM' })
    })
    await expect(withLock(path, 30, () => Promise.resolve())).rejects.toThrow('locked by process')
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('of another host says which file to delete', async () => {
    writeFileSync(path, JSON.stringify({ ...(await own()), host: 'elsewhere' }))
    await expect(withLock(path, 30, () => Promise.resolve())).rejects.toMatchObject({
      fix: expect.stringContaining(`delete ${path}`),
    })
  })

  test.each<[string, () => object | Promise<object>]>([
    ['is no more', async () => ({ pid: await deadPid() })],
    ['had the id of a process that started since', () => ({ started: '1' })],
    ['ran before the machine started', () => ({ boot: 'another', space: 'pid:[1]' })],
  ])('of a process that %s is taken over at once, by its own name', async (_, change) => {
    const text = JSON.stringify({ ...(await own()), token: 'left', ...(await change()) })
    writeFileSync(path, text)
    const seen = await withLock(path, 1000, () => {
      expect(left()).toEqual(['store.lock'])
      expect(statSync(path).mode & 0o777).toBe(0o600)
      return Promise.resolve(holder())
    })
    expect(seen).toMatchObject({ pid: process.pid, token: expect.not.stringMatching('left') })
    expect(left()).toEqual([])
  })

  test.each(['', 'null', '{}', '{"token":7}', '"text"', '{"token":"a","ho'])(
    'that says %j is of nobody, and taken over',
    async (text) => {
      writeFileSync(path, text)
      expect((await own()).pid).toBe(process.pid)
      expect(left()).toEqual([])
    },
  )

  test('whose taker holds its claim is waited for', async () => {
    const mine = await own()
    const dead = JSON.stringify({ ...mine, token: 'left', started: '1' })
    writeFileSync(path, dead)
    writeFileSync(`${path}.left`, JSON.stringify({ ...mine, token: 'taker' }))
    await expect(withLock(path, 30, () => Promise.resolve())).rejects.toThrow('locked by process')
    expect(readFileSync(path, 'utf8')).toBe(dead)
    rmSync(`${path}.left`)
    await own()
    expect(left()).toEqual([])
  })

  test('that is a folder is an error', async () => {
    await expect(withLock(folder.path, 1000, () => Promise.resolve())).rejects.toMatchObject({
      code: 'EISDIR',
    })
  })
})
