import { NOTHING, type PassCounts } from '../engine/counts.ts'
import type { RunEvent } from '../engine/events.ts'

/** Enough for any width of a screen; memory stays the same however long a run takes. */
const MAX_SAMPLES = 600
const MAX_SPANS = 200
const FIRST_INTERVAL_MS = 100

/** How a run went, by the clock of this process. */
export interface Recording {
  /** ISO 8601. */
  readonly began: string
  readonly ms: number
  /** Rows that something is to be done to, as counted when each model began. */
  readonly expected: number
  readonly samples: readonly Sample[]
  readonly spans: readonly Span[]
  /** Ends of passes. */
  readonly passes: readonly { readonly ms: number; readonly model: string; readonly pass: number }[]
  /** In the order in which they were begun: the last one was in hand. */
  readonly models: readonly RecordedModel[]
  /** Spans and passes that there was no room for. */
  readonly dropped: number
}

/** Sums since the run began. */
export interface Sample {
  readonly ms: number
  readonly rows: number
  readonly superseded: number
  readonly quarantined: number
}

/** A model, as far as it was gone over. */
export interface RecordedModel extends PassCounts {
  readonly model: string
  /** Number of the pass in hand, or of the last; 0 before the first batch. */
  readonly passes: number
}

/** A time in which no batch began. */
export interface Span {
  readonly from: number
  readonly to: number
  /** `pause`: by an operator. `fence`: until every instance follows. `rate`: a cap. `health`: a check. */
  readonly kind: 'pause' | 'fence' | 'rate' | 'health'
}

/** Keeps what a chart of a run needs of its events: pass `onEvent` on, and take `recording` in the end. */
export class RunRecorder {
  readonly #now: () => number
  readonly #beganAt: number
  readonly #began = new Date().toISOString()
  readonly #sum = { rows: 0, superseded: 0, quarantined: 0 }
  #samples: Sample[] = [{ ms: 0, rows: 0, superseded: 0, quarantined: 0 }]
  #spans: Span[] = []
  #passes: { ms: number; model: string; pass: number }[] = []
  #models: RecordedModel[] = []
  #open: { from: number; kind: Span['kind'] } | null = null
  #intervalMs = FIRST_INTERVAL_MS
  #expected = 0
  #dropped = 0

  /** @param now - milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#beganAt = now()
  }

  readonly onEvent = (event: RunEvent): void => {
    switch (event.type) {
      case 'model':
        this.#expected += event.rows
        this.#models.push({ model: event.model, ...NOTHING, passes: 0 })
        return
      case 'batch':
        this.#batch(event)
        this.#note(event)
        return
      case 'pass':
        this.#note({ ...NOTHING, pass: event.pass })
        if (this.#passes.length < MAX_SPANS)
          this.#passes.push({ ms: this.#ms, model: event.model, pass: event.pass })
        else this.#dropped++
        return
      case 'wait':
        this.#begin('fence')
        return
      case 'pause':
        this.#begin('pause')
        return
      case 'resume':
        this.#end()
        return
      case 'throttle':
        if (event.wait === null) this.#end()
        else this.#begin(event.wait.kind)
    }
  }

  /** What there is up to now. */
  recording(): Recording {
    const ms = this.#ms
    const open = this.#open === null ? [] : [{ ...this.#open, to: ms }]
    return {
      began: this.#began,
      ms,
      expected: this.#expected,
      samples: [...this.#samples, { ms, ...this.#sum }],
      spans: [...this.#spans, ...open],
      passes: [...this.#passes],
      models: [...this.#models],
      dropped: this.#dropped,
    }
  }

  get #ms(): number {
    return this.#now() - this.#beganAt
  }

  #batch(added: Omit<Sample, 'ms'>): void {
    this.#sum.rows += added.rows
    this.#sum.superseded += added.superseded
    this.#sum.quarantined += added.quarantined
    if (this.#open?.kind === 'fence') this.#end()
    const ms = this.#ms
    if (ms - this.#samples.at(-1)!.ms < this.#intervalMs) return
    this.#samples.push({ ms, ...this.#sum })
    if (this.#samples.length < MAX_SAMPLES) return
    // Every second one goes, and the next come half as often.
    this.#samples = this.#samples.filter((_, i) => i % 2 === 0)
    this.#intervalMs *= 2
  }

  /** What is in quarantine is what the last pass has met. */
  #note({ pass, rows, superseded, quarantined }: PassCounts & { readonly pass: number }): void {
    const model = this.#models.pop()
    if (model === undefined) return
    const before = pass === model.passes ? model.quarantined : 0
    this.#models.push({
      model: model.model,
      rows: model.rows + rows,
      superseded: model.superseded + superseded,
      quarantined: before + quarantined,
      passes: pass,
    })
  }

  #begin(kind: Span['kind']): void {
    if (this.#open?.kind === kind) return
    this.#end()
    this.#open = { from: this.#ms, kind }
  }

  #end(): void {
    if (this.#open === null) return
    this.#spans.push({ ...this.#open, to: this.#ms })
    this.#open = null
    if (this.#spans.length <= MAX_SPANS) return
    // The shortest says least.
    const length = ({ from, to }: Span): number => to - from
    const shortest = this.#spans.reduce((a, b) => (length(b) < length(a) ? b : a))
    this.#spans = this.#spans.filter((span) => span !== shortest)
    this.#dropped++
  }
}
