import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { MigrationError } from '../errors.ts'
import { reencryptValues, type ReencryptJob, type ReencryptDone } from './job.ts'

/** To hand fewer over costs more than it gives. */
const MIN_VALUES = 128
export const MAX_THREADS = 16
/** Ciphers are freed when they are collected, so often is better: less memory, which stays in the caches. */
const LIMITS = { maxYoungGenerationSizeMb: 6 }

interface Thread {
  readonly worker: Worker
  /** In the order of the jobs. */
  readonly waiting: {
    readonly resolve: (done: ReencryptDone) => void
    readonly reject: (error: Error) => void
  }[]
}

/**
 * Threads that do the cryptography of a drain, so that it takes another core than what talks with the database.
 * Keys reach them with each job, as `KeyObject`s of this process, and they keep none. They are started when they
 * are first of use.
 */
export class CipherThreads {
  readonly #count: number
  readonly #threads = new Map<number, Thread>()

  /** @param count - 0 to 16; with 0 everything is done in the thread that asks. */
  constructor(count: number) {
    this.#count = count
  }

  async reencrypt(job: ReencryptJob): Promise<ReencryptDone> {
    if (this.#count === 0 || job.values.length < MIN_VALUES) return reencryptValues(job)
    const shares = cut(job, this.#count)
    const done = await Promise.all(shares.map((share, i) => this.#post(i, share)))
    const codes = new Map<number, string>()
    let start = 0
    for (const share of done) {
      for (const [at, code] of share.codes) codes.set(start + at, code)
      start += share.values.length
    }
    return { values: done.flatMap(({ values }) => values), codes }
  }

  /** Ends the threads. Jobs in hand are given up. */
  async close(): Promise<void> {
    const threads = [...this.#threads.values()]
    this.#threads.clear()
    await Promise.all(threads.map(({ worker }) => worker.terminate()))
  }

  #post(number: number, job: ReencryptJob): Promise<ReencryptDone> {
    const { worker, waiting } = this.#threads.get(number) ?? this.#start(number)
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      worker.ref()
      worker.postMessage(job)
    })
  }

  #start(number: number): Thread {
    // By the name of the package, so that sources that run as they are find what was built of them.
    const file = createRequire(import.meta.url).resolve('@rowseal/migrator/thread')
    const worker = new Worker(file, { execArgv: [], resourceLimits: LIMITS })
    const waiting: Thread['waiting'] = []
    const isOpen = (): boolean => this.#threads.get(number)?.worker === worker
    const end = (error: Error): void => {
      if (isOpen()) this.#threads.delete(number)
      for (const one of waiting.splice(0)) one.reject(error)
    }
    worker.on('message', (done: ReencryptDone) => {
      waiting.shift()?.resolve(done)
      // While it is being closed its end is waited for: without it nothing may keep the process alive.
      if (waiting.length === 0 && isOpen()) worker.unref()
    })
    worker.on('error', (error) => end(isOfJob(error) ? error : ended(error)))
    worker.on('exit', () => end(ended(null)))
    const thread = { worker, waiting }
    this.#threads.set(number, thread)
    return thread
  }
}

/** Is it what a job was given that is wrong, and not the thread? */
function isOfJob(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof RangeError
}

/** @param cause - null if it has just ended. */
function ended(cause: unknown): MigrationError {
  const { code } = Object(cause) as { code?: unknown }
  const why = typeof code === 'string' ? ` (${code})` : ''
  return new MigrationError(
    'ERR_THREAD_FAILED',
    `A thread for cryptography ended before it was done${why}. What was committed stays.`,
    {
      fix: 'Run the command again: it goes on where it ended. If that does not help, pass --threads 0, or a smaller --batch-bytes.',
      retryable: true,
    },
  )
}

/** Two keep up with what one thread sends to a database. */
export function defaultThreads(): number {
  return availableParallelism() > 1 ? 2 : 0
}

/** In shares of about equal size; the values of a record stay together. */
function cut(job: ReencryptJob, count: number): ReencryptJob[] {
  const { values, records, fields, bound } = job
  const shares: ReencryptJob[] = []
  for (let from = 0; from < values.length;) {
    let to = Math.min(values.length, from + Math.ceil(values.length / count))
    while (to < values.length && records[to] === records[to - 1]) to++
    shares.push({
      ...job,
      values: values.slice(from, to),
      records: records.slice(from, to),
      fields: fields.slice(from, to),
      bound: bound && bound.slice(from, to),
    })
    from = to
  }
  return shares
}
