import { setImmediate as turn } from 'node:timers/promises'
import type { PaceClock } from '../../src/pace/clock.ts'

/** A clock that goes when it is told to. */
export class ManualClock implements PaceClock {
  #now = 0
  #sleepers: { until: number; wake: (isWhole: boolean) => void }[] = []

  now(): number {
    return this.#now
  }

  /** How long whoever wakes first has still to wait; null if nobody waits. */
  get next(): number | null {
    const untils = this.#sleepers.map(({ until }) => until)
    return untils.length === 0 ? null : Math.min(...untils) - this.#now
  }

  sleep(ms: number, signals: readonly AbortSignal[]): Promise<boolean> {
    if (signals.some(({ aborted }) => aborted)) return Promise.resolve(false)
    return new Promise((resolve) => {
      const sleeper = {
        until: this.#now + ms,
        wake: (isWhole: boolean): void => {
          this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
          for (const signal of signals) signal.removeEventListener('abort', stop)
          resolve(isWhole)
        },
      }
      const stop = (): void => sleeper.wake(false)
      this.#sleepers.push(sleeper)
      for (const signal of signals) signal.addEventListener('abort', stop)
    })
  }

  /** Let time pass, whoever wakes meanwhile going on at their own moment. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await turn()
      const next = this.#sleepers.toSorted((a, b) => a.until - b.until)[0]
      if (next === undefined || next.until > end) break
      this.#now = next.until
      next.wake(true)
    }
    this.#now = end
    await turn()
  }
}
