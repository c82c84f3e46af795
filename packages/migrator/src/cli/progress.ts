import type { IndexPhase } from '@rowseal/prisma-extension/keys'
import cliProgress from 'cli-progress'
import type { RunEvent } from '../engine/events.ts'
import type { QueueEvent } from '../queue/coordinate.ts'
import type { ReindexEvent } from '../reindex/options.ts'
import type { VerifyEvent } from '../verify/options.ts'
import { count, say } from './output.ts'

const LINE_EVERY_MS = 5_000

/**
 * What `rowseal drain` shows, for programs that call `drain` or `verify`: pass `onEvent` on, and call
 * `stop` in the end. One bar for each model on stderr.
 */
export class ProgressBars {
  #current: Progress | null = null

  readonly stop = (): void => {
    this.#current?.stop()
    this.#current = null
  }

  readonly onEvent = (event: RunEvent | ReindexEvent | VerifyEvent): void => {
    if (event.type === 'model') {
      this.stop()
      this.#current = new Progress(event.model, event.rows)
    } else if (event.type === 'batch') {
      this.#current?.advance(rowsOf(event))
    } else if (event.type === 'throttle') {
      // A cap makes a run wait all the time, as it should.
      if (event.wait?.kind === 'health') say(`Waiting: ${event.wait.reason}.`)
    } else if (event.type === 'queue') {
      say(PROBLEMS[event.problem ?? 'none'])
    } else if (event.type !== 'pass') {
      this.stop()
      say(sentenceOf(event))
    }
  }
}

/** Rows that a batch has dealt with. */
function rowsOf(event: Extract<RunEvent | ReindexEvent | VerifyEvent, { type: 'batch' }>): number {
  if ('seen' in event) return event.seen
  return event.rows + ('quarantined' in event ? event.quarantined : 0)
}

const PROBLEMS: Readonly<Record<NonNullable<QueueEvent['problem']> | 'none', string>> = {
  'no worker': 'Waiting: nobody works on it. Start workers: npx rowseal worker',
  'out of reach':
    'Waiting: the queue cannot be reached. Workers go on with the parts that they have.',
  none: 'Going on.',
}

const PHASES: Readonly<Record<IndexPhase, string>> = {
  'slot-1': 'its first column is written and searched',
  'both-1': 'both columns are written, the first is searched',
  'both-2': 'both columns are written, the second is searched',
  'slot-2': 'its second column is written and searched',
  offline: 'writes are refused',
}

function sentenceOf(
  event: Extract<ReindexEvent, { type: 'wait' | 'pause' | 'resume' | 'phase' | 'complete' }>,
): string {
  switch (event.type) {
    case 'wait':
      return `Waiting ${Math.ceil(event.ms / 1000)} s ${event.reason}.`
    case 'pause':
      return `Paused${event.reason === null ? '' : `: ${event.reason}`}. To go on: npx rowseal runs resume ${event.model}`
    case 'resume':
      return `${event.model}: going on.`
    case 'phase':
      return `${event.index}: phase ${event.phase}, ${PHASES[event.phase]}.`
    case 'complete':
      return `${event.index}: complete.`
  }
}

/** A bar with rate and time left; plain lines where stderr is no terminal. */
class Progress {
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
    const { label, done, size, rate, left } = this.#facts()
    say(`${label}: ${done} of ${size} rows, ${rate} rows/s, ${left} left`)
  }

  stop(): void {
    this.#bar?.update(Math.min(this.#done, this.#total), this.#facts())
    this.#bar?.stop()
  }

  #facts(): Record<'label' | 'done' | 'size' | 'rate' | 'left', string> {
    const seconds = (performance.now() - this.#began) / 1000
    const rate = seconds === 0 ? 0 : this.#done / seconds
    const left = rate === 0 ? null : Math.max(0, this.#total - this.#done) / rate
    return {
      label: this.#label,
      done: count(this.#done),
      // Not `total`, which is the bar's own word, without separators.
      size: count(this.#total),
      rate: count(rate),
      left: left === null ? '?' : duration(left),
    }
  }
}

function newBar(): cliProgress.SingleBar {
  return new cliProgress.SingleBar({
    stream: process.stderr,
    // 80 columns hold it for tables of a million rows.
    format: '{label} {bar} {percentage}%  {done}/{size} rows  {rate}/s  {left} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 18,
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
