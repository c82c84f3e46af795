import {
  createPostgresBackend,
  DelayedError,
  Queue as BullQueue,
  withBackend,
  Worker,
  type Job,
  type PostgresPoolConfig,
  type RedisOptions,
} from 'bullmq'
import { lacking, unavailable } from './errors.ts'
import { placeOf } from './place.ts'
import type { Again, Queue, QueueConnection, QueueTask, TakeOptions } from './queue.ts'
import { within } from './within.ts'

interface Common {
  /** Of the queue. Give each database one of its own where several share a server. Default: `rowseal`. */
  readonly name?: string
}

/** Where BullMQ keeps its tasks: one of the two. */
export type BullmqOptions =
  | (Common & {
      /** `redis://…`, `rediss://…`, or options of ioredis, which has to be installed. */
      readonly redis: string | RedisOptions
    })
  | (Common & {
      /**
       * `postgresql://…`, or options of pg, which has to be installed. BullMQ creates its tables in the schema
       * `bullmq` (option `schema`), unless `migrate` is false.
       */
      readonly postgresql: string | PostgresPoolConfig
    })

/** Longest time that anything asked of the queue takes. */
const DEADLINE_MS = 10_000
/** As a part is abandoned after 15 s without a heartbeat, so is the task. */
const LOCK_MS = 15_000

/** The most that BullMQ's functions in PostgreSQL take. */
const MAX_INT4 = 2 ** 31 - 1

/** Nothing of a task stays when it is done with: the state of a run is in its database. */
const LEAVE_NOTHING = { removeOnComplete: true, removeOnFail: true, attempts: 1 }

/**
 * A queue on BullMQ 6, for `queue` of `rowseal.config.ts`.
 *
 * @throws {TypeError} if what it is given is no URL.
 */
export function bullmqQueue(options: BullmqOptions): Queue {
  const { name = 'rowseal' } = options
  const backend = 'redis' in options ? onRedis(options.redis) : onPostgresql(options.postgresql)
  return {
    label: `BullMQ "${name}" on ${backend.place}`,
    connect: () => Connection.open(name, backend),
  }
}

interface Backend {
  readonly place: string
  readonly connection: RedisOptions | PostgresPoolConfig
  /** For a worker: Redis has it wait for ever, which a command that adds tasks must not. */
  readonly patient: RedisOptions | PostgresPoolConfig
  readonly classes: Pick<ReturnType<typeof withBackend>, 'Queue' | 'Worker'>
}

function onRedis(redis: string | RedisOptions): Backend {
  const given: RedisOptions = typeof redis === 'string' ? { url: redis } : redis
  const patient = { connectTimeout: DEADLINE_MS, ...given }
  return {
    place: placeOf('Redis', given.url ?? given, 6379),
    connection: { ...patient, maxRetriesPerRequest: 2 },
    patient,
    classes: { Queue: BullQueue, Worker },
  }
}

function onPostgresql(postgresql: string | PostgresPoolConfig): Backend {
  const given: PostgresPoolConfig =
    typeof postgresql === 'string' ? { connectionString: postgresql } : postgresql
  const isSaid = given.migrate !== undefined || given.skipMigrations !== undefined
  const times = { connectionTimeoutMillis: DEADLINE_MS, max: 2 }
  const connection = { ...times, ...given, ...(isSaid ? {} : { migrate: true }) }
  const address = given['connectionString']
  return {
    place: placeOf('PostgreSQL', typeof address === 'string' ? address : given, 5432),
    connection,
    patient: connection,
    classes: withBackend(createPostgresBackend) as unknown as Backend['classes'],
  }
}

class Connection implements QueueConnection {
  readonly #name: string
  readonly #backend: Backend
  readonly #queue: InstanceType<Backend['classes']['Queue']>
  readonly #label: string

  private constructor(name: string, backend: Backend) {
    this.#name = name
    this.#backend = backend
    this.#label = backend.place
    // Events are for dashboards: a few are enough.
    const streams = { events: { maxLen: 1_000 } }
    this.#queue = new backend.classes.Queue(name, { connection: backend.connection, streams })
  }

  static async open(name: string, backend: Backend): Promise<QueueConnection> {
    let mine: Connection | null = null
    try {
      const opening = (mine = new Connection(name, backend))
      const failed = new Promise<never>((_, fail) => opening.#queue.on('error', fail))
      failed.catch(() => undefined)
      await within(DEADLINE_MS, Promise.race([opening.#queue.waitUntilReady(), failed]))
      return opening
    } catch (error) {
      await mine?.close()
      throw lacking(error) ?? unavailable(backend.place, error)
    }
  }

  async add(tasks: readonly QueueTask[], delay = 0): Promise<void> {
    const jobs = tasks.map(({ id, payload }) => {
      return { name: 'part', data: payload, opts: { ...LEAVE_NOTHING, jobId: id, delay } }
    })
    await this.#ask(this.#queue.addBulk(jobs))
  }

  async count(): Promise<number> {
    const counts = await this.#ask(this.#queue.getJobCounts())
    return Object.values(counts).reduce((sum, count) => sum + count, 0)
  }

  async take(
    { concurrency, signal, onProblem }: TakeOptions,
    handle: (task: QueueTask) => Promise<Again | null>,
  ): Promise<void> {
    const inHand = new Set<Promise<Again | null>>()
    const worker = new this.#backend.classes.Worker(
      this.#name,
      async (job, token) => {
        onProblem(null)
        const handled = handle({ id: job.id ?? '', payload: job.data })
        inHand.add(handled)
        const again = await handled.finally(() => inHand.delete(handled))
        if (again !== null) await this.#giveBack(job, token, again)
      },
      {
        connection: this.#backend.patient,
        concurrency,
        ...{ lockDuration: LOCK_MS, stalledInterval: LOCK_MS, runRetryDelay: 1_000 },
        // A task that failed for good would stay, and be in the way of another with its id.
        maxStalledCount: MAX_INT4,
      },
    )
    worker.on('error', (error) => {
      // Of one that was frozen, and whose task has gone to another.
      if (!/\block\b/.test(error.message)) onProblem(unavailable(this.#label, error))
    })
    await new Promise<void>((done) => {
      if (signal.aborted) done()
      else signal.addEventListener('abort', () => done(), { once: true })
    })
    await Promise.all(inHand)
    await within(DEADLINE_MS, worker.close()).catch(() => undefined)
  }

  async close(): Promise<void> {
    // Of a server that is away there is nothing to wait for.
    await within(1_000, this.#queue.close()).catch(() => undefined)
    await within(1_000, this.#queue.disconnect()).catch(() => undefined)
  }

  /** If it cannot be, the coordinator offers the part once more. */
  async #giveBack(job: Job, token: string | undefined, { task, delayMs }: Again): Promise<void> {
    if (task.id !== job.id) return this.add([task], delayMs)
    await job.moveToDelayed(Date.now() + delayMs, token)
    throw new DelayedError()
  }

  async #ask<T>(answer: Promise<T>): Promise<T> {
    try {
      return await within(DEADLINE_MS, answer)
    } catch (error) {
      throw unavailable(this.#label, error)
    }
  }
}
