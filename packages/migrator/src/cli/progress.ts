import cliProgress from 'cli-progress'
import { count, say } from './output.ts'

const LINE_EVERY_MS = 5_000

/** A bar with rate and time left; plain lines where stderr is no terminal. */
export class Progress {
  readonly #label: string
  readonly #total: number
  readonly #bar: cliProgress.SingleBar | null
  readonly #began = performance.now()
  #done = 0
  #saidAt = performance.now()

  constructor(label: string, total: number) {
    this.#label = label
    this.#total = total
    this.#bar = process.stderr.isTTY ? newBar() : null
    this.#bar?.start(total, 0, this.#facts())
  }

  /** @param rows - that were dealt with since the last call. */
  advance(rows: number): void {
    this.#done += rows
    this.#bar?.update(Math.min(this.#done, this.#total), this.#facts())
    if (this.#bar !== null || performance.now() - this.#saidAt < LINE_EVERY_MS) return
    this.#saidAt = performance.now()
    const { label, done, total, rate, left } = this.#facts()
    say(`${label}: ${done} of ${total} rows, ${rate} rows/s, ${left} left`)
  }

  stop(): void {
    this.#bar?.update(Math.min(this.#done, this.#total), this.#facts())
    this.#bar?.stop()
  }

  #facts(): Record<'label' | 'done' | 'total' | 'rate' | 'left', string> {
    const seconds = (performance.now() - this.#began) / 1000
    const rate = seconds === 0 ? 0 : this.#done / seconds
    const left = rate === 0 ? null : Math.max(0, this.#total - this.#done) / rate
    return {
      label: this.#label,
      done: count(this.#done),
      total: count(this.#total),
      rate: count(rate),
      left: left === null ? '?' : duration(left),
    }
  }
}

function newBar(): cliProgress.SingleBar {
  return new cliProgress.SingleBar({
    stream: process.stderr,
    format: '{label} {bar} {percentage}%  {done} of {total} rows  {rate} rows/s  {left} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    // Ours to handle: the cursor comes back when the batch in hand is finished.
    gracefulExit: false,
  })
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 360) / 10} h`
}
