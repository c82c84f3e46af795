import { constants } from 'node:os'
import { say } from './output.ts'

/** Turns Ctrl-C and SIGTERM into an AbortSignal. A second one ends the process at once, which is safe too. */
export class Interruption {
  readonly #controller = new AbortController()
  readonly #listeners: (() => void)[] = []
  #exitCode: number | null = null

  constructor() {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      const listener = (): void => this.#note(128 + constants.signals[name])
      process.on(name, listener)
      this.#listeners.push(() => process.off(name, listener))
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** As shells have it: 128 and the number of the signal. Null if there was none. */
  get exitCode(): number | null {
    return this.#exitCode
  }

  /** Signals are no longer ours. */
  release(): void {
    for (const remove of this.#listeners.splice(0)) remove()
  }

  #note(code: number): void {
    if (this.#exitCode !== null) process.exit(code)
    this.#exitCode = code
    say('\nFinishing the batch in hand. Once more to end at once.')
    this.#controller.abort()
  }
}
