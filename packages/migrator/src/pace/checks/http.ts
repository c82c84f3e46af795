import type { Check } from './check.ts'

const NAME = 'throttle.http (--throttle-http)'
const TIMEOUT_MS = 1_000

/** 200 goes on; anything else, and nothing at all, pauses. */
export function httpCheck(url: string): Check {
  return {
    name: NAME,
    timeoutMs: 2 * TIMEOUT_MS,
    run: async (signal) => {
      const inTime = AbortSignal.timeout(TIMEOUT_MS)
      try {
        const answer = await fetch(url, {
          redirect: 'manual',
          signal: AbortSignal.any([signal, inTime]),
        })
        // Nobody reads it, and it may never end.
        await answer.body?.cancel()
        return answer.status === 200 ? null : `${NAME} answered ${answer.status}`
      } catch (error) {
        if (inTime.aborted) return `${NAME} did not answer within ${TIMEOUT_MS} ms`
        return `${NAME} cannot be reached${codeOf(error)}`
      }
    },
  }
}

/** Such as ECONNREFUSED. */
function codeOf(error: unknown): string {
  const { cause } = Object(error) as { cause?: { code?: unknown } | null }
  const code = cause?.code
  return typeof code === 'string' && /^\w{2,40}$/.test(code) ? ` (${code})` : ''
}
