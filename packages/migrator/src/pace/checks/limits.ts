import { ANSWER_MS } from './ask.ts'
import { duration, type Check } from './check.ts'

/** @param count - sessions that execute something, without the one that asks. */
export function sessionsCheck(limit: number, count: () => Promise<number>): Check {
  return {
    name: 'throttle.maxActiveSessions (--throttle-sessions)',
    timeoutMs: ANSWER_MS,
    run: async () => {
      const now = await count()
      return now > limit ? `${now} sessions are active (limit ${limit})` : null
    },
  }
}

/** @param longestMs - how long the oldest open transaction is open; 0 if there is none. */
export function transactionCheck(limitMs: number, longestMs: () => Promise<number>): Check {
  return {
    name: 'throttle.maxTransactionMs (--throttle-transaction)',
    timeoutMs: ANSWER_MS,
    run: async () => {
      const ms = await longestMs()
      return ms > limitMs
        ? `a transaction is open for ${duration(ms)} (limit ${duration(limitMs)})`
        : null
    },
  }
}
