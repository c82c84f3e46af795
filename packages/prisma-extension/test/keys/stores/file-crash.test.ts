import { temporaryFolder } from '@rowseal/test-support'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { initKeyring, openKeyring, rotate } from '../../../src/keys/index.ts'
import { fileKeyStore } from '../../../src/keys/stores/file.ts'
import { newRoot, rowOf, writeOf } from '../support.ts'
import { deadPid } from './dead-pid.ts'

const folders: { remove(): void }[] = []
afterEach(() => vi.restoreAllMocks())
afterAll(() => folders.forEach((folder) => folder.remove()))

async function filled() {
  const folder = temporaryFolder('file-store')
  folders.push(folder)
  const path = join(folder.path, 'keys', 'store.json')
  const store = fileKeyStore(path, { timeoutMs: 300 })
  const root = newRoot()
  const keyring = await openKeyring({ root, store })
  await initKeyring(keyring)
  return { path, folder: join(folder.path, 'keys'), store, root, keyring }
}

/** A lock as this process would make it, changed. */
async function lockOf(path: string, change: object): Promise<string> {
  const found: string[] = []
  const store = fileKeyStore(path)
  const watching = setInterval(() => {
    try {
      found.push(readFileSync(`${path}.lock`, 'utf8'))
    } catch {
      // not there now
    }
  }, 0)
  while (found.length === 0) await store.reserve(1, 0, 2 ** 32)
  clearInterval(watching)
  return JSON.stringify({ ...JSON.parse(found[0]!), token: 'left-behind', ...change })
}

describe('the file key store', () => {
  test('is private, and leaves nothing beside the file', async () => {
    const { path, folder, keyring } = await filled()
    await rotate(keyring)
    expect(readdirSync(folder)).toEqual(['store.json'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  test('before init has nothing, and is not written', async () => {
    const folder = temporaryFolder('file-store')
    folders.push(folder)
    const store = fileKeyStore(join(folder.path, 'keys', 'store.json'))
    expect(await store.read('default')).toBeNull()
    expect(await store.nextKeyId()).toBe(1)
    await expect(store.write(writeOf(null, { rows: [rowOf(1)] }))).rejects.toMatchObject({
      code: 'ERR_KEYRING_MISSING',
      fix: expect.stringContaining('rowseal init'),
    })
    await store.init()
    rmSync(join(folder.path, 'keys', 'store.json'))
    await expect(store.reserve(1, 1, 10)).rejects.toMatchObject({ code: 'ERR_KEYRING_MISSING' })
  })

  test.each([
    ['whose folder others may write', (path: string) => chmodSync(join(path, '..'), 0o770)],
    ['that others may read', (path: string) => chmodSync(path, 0o640)],
    ['that others may write', (path: string) => chmodSync(path, 0o602)],
  ])('%s is not changed', async (_, loosen) => {
    const { path, store, keyring } = await filled()
    loosen(path)
    const unsafe = { code: 'ERR_STORE_UNSAFE', fix: expect.stringContaining('chmod') }
    await expect(rotate(keyring)).rejects.toMatchObject(unsafe)
    await expect(store.init()).rejects.toMatchObject(unsafe)
  })

  test('of another user is not changed, and who is to own it is said', async () => {
    const { path, store, keyring } = await filled()
    vi.spyOn(process, 'getuid').mockReturnValue(4242)
    const fix = (at: string): object => ({ code: 'ERR_STORE_UNSAFE', fix: `chown 4242 ${at}` })
    await expect(store.read('default')).rejects.toMatchObject(fix(path))
    await expect(rotate(keyring)).rejects.toMatchObject(fix(path))
    await expect(store.init()).rejects.toMatchObject(fix(join(path, '..')))
  })

  test('that is a symbolic link is not followed into the open', async () => {
    const { folder, path } = await filled()
    const link = join(folder, 'link.json')
    symlinkSync(path, link)
    await expect(fileKeyStore(link).read('default')).rejects.toMatchObject({
      code: 'ERR_STORE_UNSAFE',
    })
  })

  test('in a folder that is reached by a link is used', async () => {
    const { folder, root } = await filled()
    const linked = temporaryFolder('file-store-link')
    folders.push(linked)
    symlinkSync(folder, join(linked.path, 'keys'))
    const store = fileKeyStore(join(linked.path, 'keys', 'store.json'))
    expect((await rotate(await openKeyring({ root, store }))).to.keyId).toBe(2)
  })

  test('keeps no file open, however often it is written', async () => {
    const { store } = await filled()
    const opened = (): number => readdirSync('/proc/self/fd').length
    const before = opened()
    for (let i = 0; i < 20; i++) expect(await store.reserve(1, 1, 100)).toBe(true)
    expect(opened()).toBeLessThan(before + 20)
  })

  test('written half by a process that died holds what it held, and the half goes', async () => {
    const { path, folder, store, keyring } = await filled()
    writeFileSync(`${path}.1234.tmp`, '{"format":2,"uses"')
    writeFileSync(`${path}.lock.5678.new`, '{"token"')
    utimesSync(`${path}.lock.5678.new`, 1, 1)
    expect(await store.read('default')).not.toBeNull()
    await rotate(keyring)
    expect(readdirSync(folder)).toEqual(['store.json'])
  })

  test('leaves what others have in its folder, and a draft of a lock that may be in use', async () => {
    const { path, folder, keyring } = await filled()
    const others = ['other.json.1.tmp', 'store.jsonx.tmp', 'tmp', 'store.json.note']
    for (const name of [...others, 'store.json.lock.5678.new'])
      writeFileSync(join(folder, name), '')
    for (const name of others) utimesSync(join(folder, name), 1, 1)
    const hour = Date.now() / 1000 - 3590
    utimesSync(`${path}.lock.5678.new`, hour, hour)
    await rotate(keyring)
    const left = [...others, 'store.json', 'store.json.lock.5678.new']
    expect(readdirSync(folder).sort()).toEqual(left.sort())
    utimesSync(`${path}.lock.5678.new`, hour - 20, hour - 20)
    await rotate(keyring)
    expect(readdirSync(folder).sort()).toEqual([...others, 'store.json'].sort())
  })

  test('of another user is changed by root, and has no tables', async () => {
    const { path, store, keyring } = await filled()
    expect(store.ddl()).toEqual([])
    if (process.getuid!() === 0) chownSync(path, 4242, 4242)
    vi.spyOn(process, 'getuid').mockReturnValue(0)
    expect((await rotate(keyring)).to.keyId).toBe(2)
  })

  test.each<[string, () => object | Promise<object>]>([
    ['a process that is no more', async () => ({ pid: await deadPid() })],
    ['a process whose id another one has now', () => ({ started: '1' })],
    ['a process from before the machine started', () => ({ boot: 'another' })],
  ])('locked by %s is taken over, by one of all that come at once', async (_, change) => {
    const { path, folder } = await filled()
    for (let round = 0; round < 5; round++) {
      const before = (await fileKeyStore(path).read('default'))!.keys[0]!.uses
      writeFileSync(`${path}.lock`, await lockOf(path, await change()))
      const stores = Array.from({ length: 8 }, () => fileKeyStore(path))
      const granted = await Promise.all(stores.map((store) => store.reserve(1, 1, 2 ** 32)))
      expect(granted).toEqual(stores.map(() => true))
      expect((await fileKeyStore(path).read('default'))!.keys[0]!.uses).toBe(before + 8)
      expect(readdirSync(folder)).toEqual(['store.json'])
    }
  })

  test.each([
    ['says nothing', ''],
    ['has zeros', '\0'.repeat(180)],
    ['says half of it', '{"token":"a","host":'],
    ['says something else', 'null'],
  ])('whose lock %s, as after a power cut, is taken over, by one of all', async (_, text) => {
    const { path, folder } = await filled()
    for (let round = 1; round <= 5; round++) {
      writeFileSync(`${path}.lock`, text)
      if (round === 5) writeFileSync(`${path}.lock.lost`, text)
      const stores = Array.from({ length: 8 }, () => fileKeyStore(path))
      await Promise.all(stores.map((store) => store.reserve(1, 1, 2 ** 32)))
      expect((await fileKeyStore(path).read('default'))!.keys[0]!.uses).toBe(8 * round)
      expect(readdirSync(folder)).toEqual(['store.json'])
    }
  })

  test('whose taker died too is taken over from both', async () => {
    const { path, folder, keyring } = await filled()
    const pid = await deadPid()
    writeFileSync(`${path}.lock`, await lockOf(path, { pid }))
    const claim = JSON.stringify({
      ...JSON.parse(readFileSync(`${path}.lock`, 'utf8')),
      token: 'claim',
    })
    writeFileSync(`${path}.lock.left-behind`, claim)
    await rotate(keyring)
    expect(readdirSync(folder)).toEqual(['store.json'])
  })

  test.each<[string, object]>([
    ['of this host that lives', { pid: process.ppid, started: startOf(process.ppid) }],
    ['of another host', { host: 'elsewhere', pid: 1 }],
    ['of another container', { space: 'pid:[1]', pid: 2 ** 22 + 1 }],
  ])('locked by a process %s waits, then says so', async (_, change) => {
    const { path, store, keyring } = await filled()
    const text = await lockOf(path, change)
    writeFileSync(`${path}.lock`, text)
    await expect(rotate(keyring)).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('locked by process'),
    })
    expect(await store.read('default')).not.toBeNull()
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe(text)
  })

  test('locked by a process that is stopped is left to it, and goes on when it goes on', async () => {
    const { path, keyring } = await filled()
    const child = spawn('sleep', ['60'])
    const pid = child.pid!
    writeFileSync(`${path}.lock`, await lockOf(path, { pid, started: startOf(pid) }))
    child.kill('SIGSTOP')
    await expect(rotate(keyring)).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect((await rotate(keyring)).to.keyId).toBe(2)
  })

  test.each([
    ['not JSON', () => 'gone'],
    ['nothing', () => ''],
    ['null', () => 'null'],
    ['an empty object', () => '{}'],
    ['white space at its end', (text: string) => `${text} `],
    ['other white space', (text: string) => JSON.stringify(JSON.parse(text))],
    ['uses twice', (text: string) => text.replace('"uses": [', '"uses": [\n  [1, 0],')],
    ['uses for nobody', (text: string) => text.replace('"uses": [', '"uses": [\n  [77, 0],')],
    ['no uses', (text: string) => text.replace(/"uses": \[[^\]]*\]\n \]/, '"uses": []')],
    ['a keyring twice', (text: string) => twice(text)],
    [
      'a keyring without a name',
      (text: string) => text.replace('"keyring": "default"', '"keyring": 7'),
    ],
    [
      'a field too many',
      (text: string) => text.replace('"format": 2,', '"format": 2,\n "more": 1,'),
    ],
    ['its end cut off', (text: string) => text.slice(0, -20)],
  ])('with %s is refused as written by somebody else', async (_, edit) => {
    const { path, store, keyring, root } = await filled()
    const text = readFileSync(path, 'utf8')
    expect(edit(text)).not.toBe(text)
    writeFileSync(path, edit(text))
    const refusal = { code: 'ERR_STORE_TAMPERED' }
    await expect(store.read('default')).rejects.toMatchObject(refusal)
    await expect(keyring.refresh()).rejects.toMatchObject(refusal)
    await expect(keyring.forProtect(1)).rejects.toMatchObject(refusal)
    await expect(openKeyring({ root, store })).rejects.toMatchObject(refusal)
    await expect(store.init()).rejects.toMatchObject(refusal)
    writeFileSync(path, text)
    expect(await keyring.forProtect(1)).toHaveLength(1)
  })

  test('written by a newer version is neither read nor changed', async () => {
    const { path, store, keyring } = await filled()
    const text = readFileSync(path, 'utf8').replace('"format": 2', '"format": 3')
    writeFileSync(path, text)
    const newer = { code: 'ERR_STORE_NEWER', fix: expect.stringContaining('Update') }
    await expect(store.read('default')).rejects.toMatchObject(newer)
    await expect(rotate(keyring)).rejects.toMatchObject(newer)
    await expect(store.init()).rejects.toMatchObject(newer)
    await expect(store.reserve(1, 1, 10)).rejects.toMatchObject(newer)
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('that cannot be read is said without a path of the machine in the way of the cause', async () => {
    const { folder } = await filled()
    mkdirSync(join(folder, 'a-folder'), { mode: 0o700 })
    await expect(fileKeyStore(join(folder, 'a-folder')).read('default')).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: false,
      message: expect.stringContaining('EISDIR'),
      fix: expect.stringContaining('a-folder'),
    })
  })

  test('takes no empty path and no time out of bounds', () => {
    expect(() => fileKeyStore('')).toThrow(new TypeError('fileKeyStore takes a path'))
    for (const timeoutMs of [0, 99, 60_001, 100.5, NaN]) {
      expect(() => fileKeyStore('x', { timeoutMs })).toThrow(TypeError)
    }
    for (const timeoutMs of [100, 60_000]) {
      expect(fileKeyStore('x', { timeoutMs }).name).toBe('file key store')
    }
  })
})

function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!
}

function twice(text: string): string {
  const document = JSON.parse(text)
  document.keyrings.push(document.keyrings[0])
  return `${JSON.stringify(document, null, 1)}\n`
}
