import { setTimeout as sleep } from 'node:timers/promises'

class TimeoutError extends Error {
  readonly code = 'ETIMEDOUT'
}

/** What a promise gives, if it does so in time. @throws ETIMEDOUT */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new TimeoutError('It took too long.')
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    over.abort()
    late.catch(() => undefined)
  }
}
