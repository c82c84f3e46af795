import type { Cluster, Redis } from 'ioredis'
import { KeyError } from '../../errors.ts'
import type { KeyringSnapshot, KeyringWrite, KeyStore } from '../types.ts'
import { applied } from './apply.ts'
import { decodeKeyring, encodeKeyring } from './document.ts'
import { newer } from './file-document.ts'
import { nextAfter } from './ids.ts'
import { checkSafety } from './redis-safety.ts'
import { FORMAT, SCRIPTS } from './redis-scripts.ts'

export interface RedisKeyStoreOptions {
  /** Name of the Redis hash that is the store, after the client's own prefix. Default: `rowseal`. */
  readonly prefix?: string
  /**
   * Replicas that must confirm each write (`WAIT`) before it counts as done. A write that they did not confirm
   * in time fails with a retryable error, and may be there all the same. 0 to 100. Default: 0.
   */
  readonly replicas?: number
  /** How long an answer may take, a connection included. Milliseconds, 100 to 60,000. Default: 5,000. */
  readonly timeoutMs?: number
  /**
   * `checked`: `init` and the first write refuse a server that evicts keys, or that has neither a log of its
   * writes nor `replicas`. `unchecked`: you answer for that. Default: `checked`.
   */
  readonly durability?: 'checked' | 'unchecked'
}

/**
 * A key store in Redis, as one hash, through your client of `ioredis` (a Cluster too). Losing it loses all data
 * under its keys: `appendonly yes`, `appendfsync always` and `maxmemory-policy noeviction`, or `replicas`; and
 * backups. A failover may lose the last writes unless replicas confirm them.
 *
 * @throws {TypeError} for a client that is none, or an option out of bounds.
 */
export function redisKeyStore(
  redis: Redis | Cluster,
  options: RedisKeyStoreOptions = {},
): KeyStore {
  const { prefix = 'rowseal', replicas = 0, timeoutMs = 5000, durability = 'checked' } = options
  if (typeof (redis as Partial<Redis> | undefined)?.eval !== 'function') {
    throw new TypeError('redisKeyStore takes a client of ioredis')
  }
  if (typeof prefix !== 'string' || prefix === '') throw new TypeError('prefix must be a text')
  assertWithin('replicas', replicas, 0, 100)
  assertWithin('timeoutMs', timeoutMs, 100, 60_000)
  return new RedisKeyStore(redis, { prefix, replicas, timeoutMs, durability })
}

function assertWithin(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}`)
}

type Script = keyof typeof SCRIPTS
/** Null if the script answered that things are otherwise. */
type Answer = readonly (string | null)[] | null

class RedisKeyStore implements KeyStore {
  readonly name = 'Redis key store'
  readonly #redis: Redis | Cluster
  readonly #options: Required<RedisKeyStoreOptions>
  #isSafe = false

  constructor(redis: Redis | Cluster, options: Required<RedisKeyStoreOptions>) {
    this.#redis = redis
    this.#options = options
  }

  async init(): Promise<void> {
    await this.#assertSafe()
    await this.#write('init')
  }

  ddl(): readonly string[] {
    return []
  }

  async read(keyring: string): Promise<KeyringSnapshot | null> {
    return (await this.#document(keyring))?.snapshot ?? null
  }

  async keyringOf(keyId: number): Promise<string | null> {
    return (await this.#run('owner', keyId))?.[0] ?? null
  }

  async nextKeyId(): Promise<number> {
    const last = Number((await this.#run('last'))?.[0] ?? 0)
    return nextAfter(last, this.name)
  }

  async keyrings(prefix: string): Promise<readonly string[]> {
    const names = (await this.#run('keyrings', prefix)) ?? []
    return names.filter((name) => name !== null).sort()
  }

  /** The document is replaced if it is, to the letter, the one that all conditions were checked on. */
  async write(change: KeyringWrite): Promise<boolean> {
    const { keyring } = change
    await this.#assertSafe()
    const before = await this.#document(keyring)
    const next = applied(before?.snapshot ?? null, change, () => false)
    if (next === null) return false
    const text = encodeKeyring(next)
    const added = change.rows.filter(({ from }) => from === null).map(({ row }) => row.keyId)
    return this.#write('write', keyring, before?.text ?? '', text, ...added)
  }

  async reserve(keyId: number, count: number, limit: number): Promise<boolean> {
    return this.#write('reserve', keyId, count, limit)
  }

  async #document(keyring: string): Promise<{ text: string; snapshot: KeyringSnapshot } | null> {
    const answer = await this.#run('read', keyring)
    if (answer === null) return null
    const [text, ...pairs] = answer as [string, ...string[]]
    const uses = new Map<number, number>()
    for (let i = 0; i < pairs.length; i += 2) uses.set(Number(pairs[i]), Number(pairs[i + 1]))
    return { text, snapshot: decodeKeyring(keyring, text, (keyId) => uses.get(keyId) ?? NaN) }
  }

  /** Run a script that writes, and let replicas confirm it. */
  async #write(script: Script, ...args: (string | number)[]): Promise<boolean> {
    const answer = await this.#run(script, ...args)
    return answer !== null
  }

  async #run(script: Script, ...args: (string | number)[]): Promise<Answer> {
    const { prefix, replicas, timeoutMs } = this.#options
    const call = this.#redis.pipeline().eval(SCRIPTS[script], 1, prefix, FORMAT, ...args)
    const mustWait = replicas > 0 && WRITES.has(script)
    if (mustWait) call.wait(replicas, Math.floor(timeoutMs / 2))
    const [ran, waited] = (await this.#bounded(() => call.exec())) ?? []
    const [status, ...answer] = resultOf(ran) as [string, ...(string | null)[]]
    if (status === 'format') throw newer(this.name, String(answer[0]))
    if (status !== 'ok') return null
    if (mustWait && Number(resultOf(waited)) < replicas) {
      throw unavailable(`fewer than ${replicas} replicas confirmed a write in time`)
    }
    return answer
  }

  async #assertSafe(): Promise<void> {
    const { durability, replicas } = this.#options
    if (this.#isSafe || durability === 'unchecked') return
    const info = (await this.#ask((redis) => redis.info())) as string | null
    const config = await this.#ask((redis) => redis.config('GET', 'appendfsync'))
    const appendfsync = Array.isArray(config) ? (config[1] as string) : null
    const warning = checkSafety({ info, appendfsync }, replicas)
    if (warning !== null) {
      process.emitWarning(`The Redis server of the key store ${warning}.`, {
        code: 'ROWSEAL_REDIS_DURABILITY',
      })
    }
    this.#isSafe = true
  }

  /** Null if this user may not ask. */
  async #ask(command: (redis: Redis | Cluster) => Promise<unknown>): Promise<unknown> {
    try {
      return await this.#bounded(() => command(this.#redis))
    } catch (error) {
      if (error instanceof KeyError && error.retryable) throw error
      return null
    }
  }

  /** Clients queue while they have no connection, for ever if told so. */
  async #bounded<T>(run: () => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, fail) => {
      timer = setTimeout(() => fail(unavailable(`no answer within ${timeoutMs} ms`)), timeoutMs)
    })
    try {
      return await Promise.race([run(), late])
    } catch (error) {
      throw failed(error)
    } finally {
      clearTimeout(timer)
    }
  }
}

const WRITES: ReadonlySet<Script> = new Set(['init', 'write', 'reserve'])

function resultOf(entry: [Error | null, unknown] | undefined): unknown {
  const [error, result] = entry ?? [new Error('no answer'), null]
  if (error !== null) throw failed(error)
  return result
}

/** First words of a server's errors that pass, and what a client says without a connection. */
const OUTAGES =
  /^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|BUSY|NOREPLICAS|MISCONF|OOM|UNKILLABLE)\b|connection is closed|stream isn't writeable|max retries|cluster slots cache|all nodes|command timed out|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH/i

/** Of what Redis says only the first word is passed on: the rest may quote what was sent. */
function failed(error: unknown): KeyError {
  if (error instanceof KeyError) return error
  const { message, name, code } = Object(error) as {
    message?: string
    name?: string
    code?: string
  }
  const text = `${message ?? ''} ${code ?? ''}`
  const word = /^[A-Z]{3,}\b/.exec(message ?? '')?.[0] ?? code ?? name ?? 'Error'
  return unavailable(word, OUTAGES.test(text) || name === 'MaxRetriesPerRequestError')
}

function unavailable(what: string, retryable = true): KeyError {
  return new KeyError('ERR_KEY_UNAVAILABLE', `The Redis key store failed: ${what}.`, {
    fix: retryable
      ? 'Check that the server runs and lets this client in, then try again.'
      : 'Look the word up in the documentation of Redis.',
    retryable,
  })
}
