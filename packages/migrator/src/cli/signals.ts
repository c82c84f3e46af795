import { constants } from 'node:os'
import { say } from './output.ts'

/** Of one Ctrl-C comes one signal from the terminal and, where npx has started the command, another from that. */
const ONE_MS = 500

/** Turns Ctrl-C and SIGTERM into an AbortSignal. A second one ends the process at once, which is safe too. */
export class Interruption {
  readonly #controller = new AbortController()
  readonly #listeners: (() => void)[] = []
  readonly #now: () => number
  readonly #end: (code: number) => void
  #exitCode: number | null = null
  #notedAt = 0

  /**
   * @param now - milliseconds of a clock that never goes back.
   * @param end - ends the process.
   */
  constructor(now = () => performance.now(), end = (code: number): void => process.exit(code)) {
    this.#now = now
    this.#end = end
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
    if (this.#exitCode !== null) {
      if (this.#now() - this.#notedAt >= ONE_MS) this.#end(code)
      return
    }
    this.#exitCode = code
    this.#notedAt = this.#now()
    say('\nFinishing the batch in hand. Once more to end at once.')
    this.#controller.abort()
  }
}
