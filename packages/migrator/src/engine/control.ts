import type { PaceOptions } from '../pace/options.ts'
import type { Pace } from '../pace/pace.ts'
import { overridden } from '../pace/stored.ts'
import type { RunId } from '../runs/parts.ts'
import type { RunRow, RunStore } from '../runs/store.ts'
import { isActive } from '../runs/states.ts'
import { pause } from '../waits.ts'

/** An operator paused the run from another terminal, or let it go on. */
export interface PauseEvent {
  readonly type: 'pause' | 'resume'
  readonly model: string
  readonly reason: string | null
}

/** How often it is looked whether a paused run may go on. */
const LOOK_EVERY_MS = 500

/** Asks before each batch, when it is read and when it is written, whether the run may go on: an operator has a say from any terminal. */
export class Control {
  readonly #store: RunStore
  readonly #run: RunId
  readonly #signal: AbortSignal | undefined
  readonly #onEvent: ((event: PauseEvent) => void) | undefined
  readonly #onPace: ((pace: string | null) => void) | undefined
  #pace: string | null = null
  #isCancelled = false
  #asked: Promise<boolean> | null = null

  constructor(
    store: RunStore,
    run: RunId,
    signal: AbortSignal | undefined,
    onEvent?: (event: PauseEvent) => void,
    onPace?: (pace: string | null) => void,
  ) {
    this.#store = store
    this.#run = run
    this.#signal = signal
    this.#onEvent = onEvent
    this.#onPace = onPace
  }

  /** Was the run ended, by an operator or because another one has replaced it? */
  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** Was this error thrown because the run was ended? */
  async explains(error: unknown): Promise<boolean> {
    const { code } = Object(error) as { code?: unknown }
    return code === 'ERR_RUN_STATE' && (await this.#look()) === null
  }

  /** Waits while the run is paused. @returns false if it is to end after the batch in hand. */
  async mayGoOn(): Promise<boolean> {
    return this.#signal?.aborted !== true && this.mayWrite()
  }

  /**
   * The same for a batch in hand, which is written also where the command was told to end. Who asks while another
   * waits is answered with that.
   */
  mayWrite(): Promise<boolean> {
    return (this.#asked ??= this.#ask().finally(() => (this.#asked = null)))
  }

  async #ask(): Promise<boolean> {
    const { model } = this.#run
    for (let isPaused = false; ;) {
      const row = await this.#look()
      if (row === null) return false
      if (row.pace !== this.#pace) this.#onPace?.((this.#pace = row.pace))
      if (row.state !== 'paused') {
        if (isPaused) this.#onEvent?.({ type: 'resume', model, reason: null })
        return true
      }
      if (!isPaused) this.#onEvent?.({ type: 'pause', model, reason: row.reason })
      isPaused = true
      if (!(await pause(LOOK_EVERY_MS, this.#signal))) return false
    }
  }

  async #look(): Promise<RunRow | null> {
    const row = await this.#store.find(this.#run)
    if (row?.run === this.#run.run && isActive(row.state)) return row
    this.#isCancelled = true
    return null
  }
}

/** Of a run that keeps the pace it was given, under what an operator sets meanwhile. */
export function controlOf(
  store: RunStore,
  run: RunId,
  pace: Pace,
  options: PaceOptions & {
    readonly signal?: AbortSignal
    readonly onEvent?: (event: PauseEvent) => void
  },
): Control {
  const { signal, onEvent } = options
  return new Control(store, run, signal, onEvent, (text) => pace.change(overridden(options, text)))
}
