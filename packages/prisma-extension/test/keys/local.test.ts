import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { localRootKey } from '../../src/keys/providers/local.ts'

const NAME = 'ROWSEAL_TEST_ROOT_KEY'
const folder = mkdtempSync(join(tmpdir(), 'rowseal-local-'))
const key = randomBytes(32)
const context = { keyring: 'default', keyId: 1, use: 'kek' } as const
const isPosix = process.platform !== 'win32'
const isRoot = process.geteuid?.() === 0

afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.restoreAllMocks()
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- an unset variable is the case
  delete process.env[NAME]
})

function fromEnv(text: string): ReturnType<typeof localRootKey> {
  process.env[NAME] = text
  return localRootKey({ env: NAME })
}

let files = 0
function file(content: string | Buffer, mode = 0o600): string {
  const path = join(folder, `key-${++files}`)
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

/** The message of the refusal; the text given must not be in it. */
function refusal(open: () => unknown, secret = ''): string {
  try {
    open()
  } catch (error) {
    expect(error).toMatchObject({ name: 'KeyError', code: 'ERR_ROOT_KEY_INVALID' })
    const shown = inspect(error)
    if (secret.trim() !== '') expect(shown).not.toContain(secret.trim())
    return (error as Error).message
  }
  throw new Error('was not refused')
}

const same = (a: object, b: object): void => {
  expect(JSON.stringify(a)).toBe(JSON.stringify(b))
}

describe('a local root key', () => {
  test('is the same from base64, base64url and hex, from variable, file and code', () => {
    const expected = localRootKey({ key })
    const texts = [
      key.toString('base64'),
      key.toString('base64').replace('=', ''),
      key.toString('base64url'),
      key.toString('hex'),
      key.toString('hex').toUpperCase(),
      `${key.toString('base64')}\n`,
    ]
    for (const text of texts) {
      same(fromEnv(text), expected)
      same(localRootKey({ file: file(text) }), expected)
    }
    same(localRootKey({ key: createSecretKey(key) }), expected)
    same(localRootKey({ file: file(key.toString('hex'), 0o400) }), expected)
  })

  test('unwraps what it wrapped', async () => {
    const root = localRootKey({ key })
    const { key: kek, wrapped, rootKeyId } = await root.create(context)
    expect(kek).toHaveLength(32)
    expect(rootKeyId).toMatch(/^local:[0-9a-f]{16}$/)
    expect(Buffer.from(wrapped).includes(kek)).toBe(false)
    expect(await localRootKey({ key }).unwrap(wrapped, rootKeyId, context)).toEqual(kek)
  })

  test('makes another KEK every time', async () => {
    const root = localRootKey({ key })
    const [a, b] = await Promise.all([root.create(context), root.create(context)])
    expect(a.key.equals(b.key)).toBe(false)
  })

  test('does not unwrap for another keyring, another key id, or when altered', async () => {
    const root = localRootKey({ key })
    const { wrapped, rootKeyId } = await root.create(context)
    const altered = Uint8Array.from(wrapped)
    altered[20]! ^= 1
    const attempts = [
      root.unwrap(wrapped, rootKeyId, { ...context, keyring: 'other' }),
      root.unwrap(wrapped, rootKeyId, { ...context, keyId: 2 }),
      root.unwrap(wrapped, rootKeyId, { ...context, use: 'dek' }),
      root.unwrap(altered, rootKeyId, context),
      root.unwrap(wrapped.subarray(0, 59), rootKeyId, context),
    ]
    for (const attempt of attempts) {
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_KEY_MISMATCH' })
    }
  })

  test('says which root key was used and which was given', async () => {
    const made = await localRootKey({ key }).create(context)
    process.env[NAME] = randomBytes(32).toString('hex')
    const other = localRootKey({ env: NAME })
    await expect(other.unwrap(made.wrapped, made.rootKeyId, context)).rejects.toThrow(
      new RegExp(
        `was made with root key ${made.rootKeyId}; the one given \\(variable ${NAME}\\) is local:`,
      ),
    )
  })

  test('shows its fingerprint and nothing of the key', () => {
    const root = localRootKey({ key })
    for (const shown of [inspect(root, { showHidden: true, depth: 9 }), JSON.stringify(root)]) {
      expect(shown).toMatch(/local:[0-9a-f]{16}/)
      for (const text of [key.toString('hex'), key.toString('base64'), key.toString('latin1')]) {
        expect(shown).not.toContain(text)
      }
      expect(shown).not.toContain(key.toString('hex').slice(0, 12))
    }
  })

  test('leaves the bytes it was given alone, and does not depend on them', async () => {
    const mine = Buffer.from(key)
    const root = localRootKey({ key: mine })
    expect(mine.equals(key)).toBe(true)
    mine.fill(0)
    const { wrapped, rootKeyId } = await root.create(context)
    await expect(localRootKey({ key }).unwrap(wrapped, rootKeyId, context)).resolves.toHaveLength(
      32,
    )
  })

  test('is refused as misuse without exactly one source', () => {
    for (const source of [
      {},
      { env: 'A', file: 'b' },
      { env: 1 },
      { key: 'text' },
      { key: null },
    ]) {
      expect(() => localRootKey(source as never)).toThrow(TypeError)
    }
  })
})

describe('what a local root key says of itself', () => {
  const root = localRootKey({ key })

  test('is no region, and no former key where there is none', async () => {
    expect(root.provider).toBe('local')
    expect(await root.regions()).toEqual([])
    expect(root.regionOf('local:0000000000000000')).toBeNull()
    expect(JSON.parse(JSON.stringify(root))).toEqual({
      provider: 'local',
      id: expect.stringMatching(/^local:[0-9a-f]{16}$/),
    })
  })

  test('is what to do about a key that it did not wrap, or that was altered', async () => {
    const { wrapped, rootKeyId } = await root.create(context)
    const other = localRootKey({ key: randomBytes(32) })
    await expect(other.unwrap(wrapped, rootKeyId, context)).rejects.toMatchObject({
      code: 'ERR_KEY_MISMATCH',
      fix: expect.stringContaining(`Give root key ${rootKeyId}`),
    })
    await expect(root.unwrap(wrapped.subarray(1), rootKeyId, context)).rejects.toMatchObject({
      code: 'ERR_KEY_MISMATCH',
      fix: expect.stringContaining('from a backup'),
    })
  })
})

describe('a former local root key', () => {
  const next = randomBytes(32)
  let both: ReturnType<typeof localRootKey>
  beforeAll(() => void (both = localRootKey({ key: next }, { former: [{ key }] })))
  const id = (root: object): string => (JSON.parse(JSON.stringify(root)) as { id: string }).id

  test('unwraps what it wrapped, and wraps nothing new', async () => {
    const old = await localRootKey({ key }).create(context)
    expect(await both.unwrap(old.wrapped, old.rootKeyId, context)).toEqual(old.key)
    const made = await both.create(context)
    expect(made.rootKeyId).toBe(id(localRootKey({ key: next })))
    expect(await localRootKey({ key: next }).unwrap(made.wrapped, made.rootKeyId, context)).toEqual(
      made.key,
    )
  })

  test('hands its keys over by a re-wrap, after which it is not needed', async () => {
    const old = await localRootKey({ key }).create(context)
    const moved = await both.rewrap(old.wrapped, old.rootKeyId, context)
    expect(moved.rootKeyId).toBe(id(both))
    expect(
      await localRootKey({ key: next }).unwrap(moved.wrapped, moved.rootKeyId, context),
    ).toEqual(old.key)
  })

  test('is not tried for a key of another id', async () => {
    const other = await localRootKey({ key: randomBytes(32) }).create(context)
    await expect(both.unwrap(other.wrapped, other.rootKeyId, context)).rejects.toThrow(
      `was made with root key ${other.rootKeyId}; the one given`,
    )
    const old = await localRootKey({ key }).create(context)
    await expect(both.unwrap(old.wrapped, id(both), context)).rejects.toMatchObject({
      code: 'ERR_KEY_MISMATCH',
    })
  })

  test('is described by its id, and shown by nothing else', async () => {
    const old = id(localRootKey({ key }))
    expect(await both.describe(old)).toMatchObject({ rootKeyId: old, state: 'enabled' })
    expect(await both.describe('local:0000000000000000')).toMatchObject({ state: 'unavailable' })
    expect(JSON.parse(JSON.stringify(both))).toEqual({
      provider: 'local',
      id: id(both),
      former: [old],
    })
    const shown = inspect(both, { showHidden: true, depth: 9 })
    expect(shown).not.toContain(key.toString('hex').slice(0, 12))
    expect(shown).not.toContain(next.toString('hex').slice(0, 12))
  })

  test('that is malformed is refused, as the present one is', () => {
    expect(refusal(() => localRootKey({ key }, { former: [{ key: randomBytes(31) }] }))).toContain(
      '31 bytes',
    )
  })
})

describe('a root key variable', () => {
  test('that is not set is refused by its name', () => {
    expect(refusal(() => localRootKey({ env: NAME }))).toContain(`${NAME} is not set`)
    expect(refusal(() => fromEnv(' '))).toContain(`${NAME} is not set`)
    expect(refusal(() => fromEnv(' '))).toContain('root key of this key store')
  })

  const base64 = key.toString('base64')
  const after = (letter: string): string => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    return alphabet[alphabet.indexOf(letter) + 1]!
  }
  test.each<readonly [string, string]>([
    ['31 bytes', randomBytes(31).toString('base64')],
    ['33 bytes', randomBytes(33).toString('base64')],
    ['63 hex digits', key.toString('hex').slice(1)],
    ['65 hex digits', `${key.toString('hex')}0`],
    ['a letter before 64 hex digits', `x${key.toString('hex')}`],
    ['a letter after 64 hex digits', `${key.toString('hex')}x`],
    ['a pass phrase', 'correct horse battery staple'],
    ...['+_', '_+', '-/', '/-', '+A_', '-A/'].map((both) => {
      return [`both alphabets, ${both}`, `${both}${'A'.repeat(42 - both.length)}E=`] as const
    }),
    ['white space inside', `${base64.slice(0, 20)} ${base64.slice(20)}`],
    ['quotes', `"${base64}"`],
    ['two paddings', `${base64}=`],
    ['spare bits that are not zero', `${base64.slice(0, 42)}${after(base64[42]!)}=`],
  ])('with %s is refused without being shown', (_, text) => {
    const message = refusal(() => fromEnv(text), text)
    expect(message).toContain(NAME)
    expect(message).toContain('openssl rand -base64 32')
  })

  test('is read in base64url with all that this has, and with padding or without', () => {
    const bytes = Buffer.from('fbefbefffffffbef'.repeat(4), 'hex')
    const [url, plain] = [bytes.toString('base64url'), bytes.toString('base64')]
    expect(url).toMatch(/-.*_|_.*-/)
    for (const text of [url, `${url}=`, plain, plain.slice(0, 43), bytes.toString('hex')]) {
      same(fromEnv(` ${text}\n`), localRootKey({ key: bytes }))
    }
  })

  test('with one byte repeated is refused as a placeholder', () => {
    const message = refusal(() => fromEnv('0'.repeat(64)))
    expect(message).toContain('placeholder')
    expect(message).toContain('openssl rand -base64 32')
  })
})

describe('a root key file', () => {
  const text = key.toString('base64')

  test('that is not there is refused by its path', () => {
    const path = join(folder, 'nothing')
    expect(refusal(() => localRootKey({ file: path }))).toContain(
      `${path} could not be opened (ENOENT). Put the root key`,
    )
    const within = join(file(text), 'nothing')
    expect(refusal(() => localRootKey({ file: within }))).toContain(
      `${within} could not be opened (ENOTDIR). Check its path`,
    )
  })

  test('of 1,024 bytes is read, and one more is too long', () => {
    same(localRootKey({ file: file(text.padEnd(1024)) }), localRootKey({ key }))
    const message = refusal(() => localRootKey({ file: file(text.padEnd(1025)) }), text)
    expect(message).toContain('too long')
    expect(message).toContain('openssl rand -base64 32')
  })

  test.runIf(process.platform === 'linux')(
    'is closed when it was read, and when it was refused',
    () => {
      const opened = (): number => readdirSync('/proc/self/fd').length
      const [good, bad] = [file(text), file('short')]
      const before = opened()
      for (let i = 0; i < 20; i++) {
        localRootKey({ file: good })
        refusal(() => localRootKey({ file: bad }))
      }
      expect(opened()).toBeLessThan(before + 20)
    },
  )

  test.runIf(isPosix && isRoot)('is read by the user it belongs to, and when it is of root', () => {
    const path = file(text)
    vi.spyOn(process, 'geteuid').mockReturnValue(12_345)
    same(localRootKey({ file: path }), localRootKey({ key }))
    chownSync(path, 12_345, 12_345)
    same(localRootKey({ file: path }), localRootKey({ key }))
    chownSync(path, 12_346, 12_346)
    expect(refusal(() => localRootKey({ file: path }), text)).toContain('belongs to another user')
  })

  test.runIf(isPosix).each([0o640, 0o604, 0o660, 0o644, 0o777, 0o610, 0o602])(
    'with mode %o is refused',
    (mode) => {
      const path = file(text, mode)
      const message = refusal(() => localRootKey({ file: path }), text)
      expect(message).toContain(`${path} has mode 0${mode.toString(8)}`)
      expect(message).toContain(`chmod 600 ${path}`)
    },
  )

  test.runIf(isPosix && isRoot)('of another user is refused', () => {
    const path = file(text)
    chownSync(path, 12_345, 12_345)
    expect(refusal(() => localRootKey({ file: path }), text)).toContain('belongs to another user')
  })

  test('that is a folder is refused', () => {
    const path = join(folder, 'folder')
    mkdirSync(path)
    expect(refusal(() => localRootKey({ file: path }))).toContain('no regular file')
  })

  test.runIf(isPosix)('that is a pipe is refused without waiting for its writer', () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', ['-m', '600', path])
    expect(refusal(() => localRootKey({ file: path }))).toContain('no regular file')
  })

  test.runIf(isPosix)('behind a link of ours is read, as mounted secrets are', () => {
    const path = join(folder, 'link')
    symlinkSync(file(text), path)
    same(localRootKey({ file: path }), localRootKey({ key }))
  })

  test.runIf(isPosix)('behind a link is held to the same mode', () => {
    const path = join(folder, 'link-open')
    symlinkSync(file(text, 0o644), path)
    expect(refusal(() => localRootKey({ file: path }), text)).toContain('has mode 0644')
  })

  test.runIf(isPosix && isRoot)('behind a link of another user is refused', () => {
    const path = join(folder, 'link-foreign')
    symlinkSync(file(text), path)
    execFileSync('chown', ['-h', '12345', path])
    expect(refusal(() => localRootKey({ file: path }), text)).toContain('made by another user')
  })

  test('that is empty, binary or far too long is refused', () => {
    for (const content of ['', key, `${text}${' '.repeat(5000)}x`, 'x'.repeat(100_000)]) {
      const path = file(content)
      expect(refusal(() => localRootKey({ file: path }), text)).toContain(path)
    }
  })

  test('that holds a public key object is refused', () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    expect(refusal(() => localRootKey({ key: publicKey }))).toContain(
      'not a secret key. Make one with `openssl rand',
    )
  })
})
