import { randomUUID } from 'node:crypto'
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { KeyError } from '../../errors.ts'
import type { KeyringSnapshot, KeyringWrite, KeyRow, KeyStore } from '../types.ts'
import { applied } from './apply.ts'
import { decodeStore, EMPTY, encodeStore, type StoreContent } from './file-document.ts'
import { withLock } from './file-lock.ts'
import { nextAfter } from './ids.ts'

/** For what is there for a moment only. */
const OLD_MS = 3_600_000
const OTHERS_MAY_WRITE = 0o022
const OTHERS_MAY_USE = 0o077

export interface FileKeyStoreOptions {
  /** How long a write waits for another process that writes. Milliseconds, 100 to 60,000. Default: 10,000. */
  readonly timeoutMs?: number
}

/**
 * A key store in a file, for one host. Every change is written to a new file, brought to the disk and put in the
 * file's place in one step, under a lock that is taken over from a process that died. Its folder must let nobody
 * else write. Not for folders shared by machines (NFS, volumes of several hosts). Losing the file loses all data
 * under its keys: back it up.
 *
 * @param path - of the file, in a folder of its own, which `init` makes with mode 0700.
 * @throws {TypeError} for no path, or an option out of bounds.
 */
export function fileKeyStore(path: string, options: FileKeyStoreOptions = {}): KeyStore {
  if (typeof path !== 'string' || path === '') throw new TypeError('fileKeyStore takes a path')
  const { timeoutMs = 10_000 } = options
  if (!Number.isInteger(timeoutMs) || timeoutMs < 100 || timeoutMs > 60_000) {
    throw new TypeError('timeoutMs must be a whole number from 100 to 60000')
  }
  return new FileKeyStore(resolve(path), timeoutMs)
}

class FileKeyStore implements KeyStore {
  readonly name = 'file key store'
  readonly #path: string
  readonly #timeoutMs: number

  constructor(path: string, timeoutMs: number) {
    this.#path = path
    this.#timeoutMs = timeoutMs
  }

  async init(): Promise<void> {
    await this.#tried(async () => {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
      await this.#change((content) => (content === null ? [true, EMPTY] : [true, null]))
    })
  }

  ddl(): readonly string[] {
    return []
  }

  async read(keyring: string): Promise<KeyringSnapshot | null> {
    return (await this.#content()).keyrings.get(keyring) ?? null
  }

  async keyringOf(keyId: number): Promise<string | null> {
    return ownerOf(await this.#content(), keyId)?.head.keyring ?? null
  }

  async nextKeyId(): Promise<number> {
    const { keyrings } = await this.#content()
    const ids = [...keyrings.values()].flatMap(({ keys }) => keys.map(({ keyId }) => keyId))
    return nextAfter(
      ids.reduce((a, b) => Math.max(a, b), 0),
      this.name,
    )
  }

  async keyrings(prefix: string): Promise<readonly string[]> {
    const { keyrings } = await this.#content()
    return [...keyrings.keys()].filter((name) => name.startsWith(prefix)).sort()
  }

  write(change: KeyringWrite): Promise<boolean> {
    return this.#write((content) => {
      const { keyrings } = content
      const isTaken = (keyId: number): boolean => ownerOf(content, keyId) !== undefined
      const next = applied(keyrings.get(change.keyring) ?? null, change, isTaken)
      return next === null ? null : withKeyring(content, next)
    })
  }

  reserve(keyId: number, count: number, limit: number): Promise<boolean> {
    return this.#write((content) => {
      const owner = ownerOf(content, keyId)
      const isUsedUp = ({ uses }: KeyRow): boolean => uses + count > limit
      const row = owner?.keys.find((key) => key.keyId === keyId)
      if (owner === undefined || row === undefined || isUsedUp(row)) return null
      const keys = owner.keys.map((key) => (key === row ? { ...row, uses: row.uses + count } : key))
      return withKeyring(content, { ...owner, keys })
    })
  }

  /** Change what is there; null changes nothing. */
  #write(change: (content: StoreContent) => StoreContent | null): Promise<boolean> {
    return this.#tried(() =>
      this.#change((content) => {
        if (content === null) throw this.#missing()
        const next = change(content)
        return [next !== null, next]
      }),
    )
  }

  /** @param next - what is returned, and what the file then holds; null leaves it. */
  async #change<T>(next: (content: StoreContent | null) => [T, StoreContent | null]): Promise<T> {
    await this.#assertPrivate(dirname(this.#path), OTHERS_MAY_WRITE)
    return withLock(`${this.#path}.lock`, this.#timeoutMs, async () => {
      await this.#clean()
      const text = await this.#text()
      const [result, content] = next(text === null ? null : decodeStore(text, this.name))
      if (content !== null) await this.#replace(encodeStore(content))
      return result
    })
  }

  /** Whenever this is cut off, the file is the old or the new one, whole. */
  async #replace(text: string): Promise<void> {
    const draft = `${this.#path}.${randomUUID()}.tmp`
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, this.#path)
    if (process.platform === 'win32') return // a folder cannot be opened there
    const folder = await open(dirname(this.#path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  /** What a process left that died. Nobody else has a draft while this one holds the lock; one of a lock may be live. */
  async #clean(): Promise<void> {
    const [folder, name] = [dirname(this.#path), basename(this.#path)]
    for (const entry of await readdir(folder)) {
      if (!entry.startsWith(`${name}.`)) continue
      const path = join(folder, entry)
      if (entry.endsWith('.tmp') || (entry.endsWith('.new') && (await isOld(path)))) {
        await rm(path, { force: true })
      }
    }
  }

  /** Nothing if `init` was not run. */
  #content(): Promise<StoreContent> {
    return this.#tried(async () => {
      const text = await this.#text()
      return text === null ? EMPTY : decodeStore(text, this.name)
    })
  }

  async #text(): Promise<string | null> {
    try {
      await this.#assertPrivate(this.#path, OTHERS_MAY_USE)
      return await readFile(this.#path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }

  async #assertPrivate(path: string, forbidden: number): Promise<void> {
    const { mode, uid } = path === this.#path ? await lstat(path) : await stat(path)
    const me = process.getuid?.()
    const isMine = me === undefined || uid === me || me === 0
    if (process.platform === 'win32' || ((mode & forbidden) === 0 && isMine)) return
    const mine = `chmod ${forbidden === OTHERS_MAY_USE ? '600' : '700'}`
    const cure = isMine ? mine : `chown ${me}`
    throw new KeyError(
      'ERR_STORE_UNSAFE',
      `Other users may change the file key store: ${path} has mode ${(mode & 0o777).toString(8)}, owner ${uid}.`,
      { fix: `${cure} ${path}` },
    )
  }

  async #tried<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof KeyError) throw error
      const { code, syscall } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') throw this.#missing()
      throw new KeyError(
        'ERR_KEY_UNAVAILABLE',
        `The file key store failed: ${code ?? (error as Error).name}${syscall === undefined ? '' : ` in ${syscall}`}.`,
        { fix: `Look at ${this.#path} and its folder.`, retryable: RETRYABLE.has(code ?? '') },
      )
    }
  }

  #missing(): KeyError {
    return new KeyError('ERR_KEYRING_MISSING', 'There is no file key store yet.', {
      fix: 'Run `npx rowseal init` once.',
    })
  }
}

const RETRYABLE: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EBUSY',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOSPC',
  'ESTALE',
])

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found !== null && Date.now() - found.mtimeMs > OLD_MS
}

function withKeyring({ keyrings }: StoreContent, next: KeyringSnapshot): StoreContent {
  return { keyrings: new Map(keyrings).set(next.head.keyring, next) }
}

function ownerOf({ keyrings }: StoreContent, keyId: number): KeyringSnapshot | undefined {
  return [...keyrings.values()].find(({ keys }) => keys.some((key) => key.keyId === keyId))
}
