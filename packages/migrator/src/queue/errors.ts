import { MigrationError } from '../errors.ts'

/**
 * @param label - of the queue.
 * @param cause - only its code is shown: the error of a driver may hold the password that it was given.
 */
export function unavailable(label: string, cause: unknown): MigrationError {
  return new MigrationError(
    'ERR_QUEUE_UNAVAILABLE',
    `The queue (${label}) cannot be reached: ${signOf(cause)}.`,
    {
      fix: 'Start its server, or correct `queue` of rowseal.config.ts, then run the command again.',
      retryable: true,
    },
  )
}

/** BullMQ loads its drivers when it needs them. @returns null if it was something else. */
export function lacking(error: unknown): MigrationError | null {
  const { message } = Object(error) as { message?: unknown }
  const name = /optional '([\w-]+)' package/.exec(String(message))?.[1]
  if (name === undefined) return null
  return new MigrationError('ERR_CONFIG_INVALID', `The queue takes ${name}, which is not there.`, {
    fix: `npm install ${name}`,
  })
}

export function noQueue(): MigrationError {
  return new MigrationError('ERR_CONFIG_INVALID', 'The configuration has no queue.', {
    fix: 'Write `defineConfig({ client, plan, keyring, queue: bullmqQueue({ redis: url }) })`.',
  })
}

export function newerTask(format: unknown): MigrationError {
  return new MigrationError(
    'ERR_CHECKPOINT_NEWER',
    `A newer version of Rowseal put a task into the queue (format ${String(format)}).`,
    { fix: 'Update @rowseal/migrator of this worker.' },
  )
}

/** A code such as ECONNREFUSED, 28P01 or WRONGPASS. */
function signOf(error: unknown): string {
  const { code, message, name } = Object(error) as Record<string, unknown>
  if (typeof code === 'string' && /^\w{2,40}$/.test(code)) return code
  const word = /^[A-Z]{3,20}(?= )/.exec(String(message))?.[0]
  return word ?? (typeof name === 'string' ? name : 'unknown error')
}
