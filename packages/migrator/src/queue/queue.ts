/**
 * Hands parts of runs to workers. Only the order of work depends on it: who works on a part is decided by its row in
 * `rowseal_parts`, so a task may come twice, late, or never.
 */
export interface Queue {
  /** Kind and place, for people. No credentials. */
  readonly label: string
  /** @throws {MigrationError} `ERR_QUEUE_UNAVAILABLE` */
  connect(): Promise<QueueConnection>
}

/** What is put into a queue. */
export interface QueueTask {
  /** No two with one id are in the queue at the same time. */
  readonly id: string
  /** JSON: names and numbers, no content and no secrets. */
  readonly payload: unknown
}

/** A task that is to come once more, perhaps with another id. */
export interface Again {
  readonly task: QueueTask
  readonly delayMs: number
}

export interface TakeOptions {
  /** Tasks at once. */
  readonly concurrency: number
  /** No more are taken then. */
  readonly signal: AbortSignal
  /** The queue is out of reach, or (null) there again. */
  readonly onProblem: (error: Error | null) => void
}

/** Each method but `close` throws `ERR_QUEUE_UNAVAILABLE` where the queue is out of reach for longer. */
export interface QueueConnection {
  /** Put tasks in. One whose id is there stays as it is. */
  add(tasks: readonly QueueTask[], delayMs?: number): Promise<void>
  /** Tasks that are in it, those that somebody works on too. */
  count(): Promise<number>
  /**
   * Take tasks until told to stop, then wait for those in hand. While the queue is out of reach, waits for it.
   *
   * @param handle - gives null when a task is done with. Must not throw.
   */
  take(options: TakeOptions, handle: (task: QueueTask) => Promise<Again | null>): Promise<void>
  close(): Promise<void>
}
