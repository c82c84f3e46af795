import {
  context,
  metrics,
  SpanStatusCode,
  trace,
  type Context,
  type Counter,
  type Histogram,
  type Span,
} from '@opentelemetry/api'
import type { Wait } from '../pace/pace.ts'
import type { Attributes, BatchObservation, Observer } from './observer.ts'

const SCOPE = '@rowseal/migrator'

/** Loaded only if `@opentelemetry/api` is there. Without an SDK that does nothing either. */
export class OtelObserver implements Observer {
  readonly #context: Context
  readonly #attributes: Attributes
  readonly #instruments: Instruments
  #throttled: { since: number; kind: Wait['kind'] } | null = null

  constructor(
    within: Context = context.active(),
    attributes: Attributes = {},
    instruments: Instruments = instrumentsOf(),
  ) {
    this.#context = within
    this.#attributes = attributes
    this.#instruments = instruments
  }

  async span<R>(
    name: 'rowseal.run' | 'rowseal.model',
    attributes: Attributes,
    work: (within: Observer) => Promise<R>,
  ): Promise<R> {
    const all = { ...this.#attributes, ...attributes }
    const span = trace.getTracer(SCOPE).startSpan(name, { attributes: all }, this.#context)
    const within = trace.setSpan(this.#context, span)
    const inner = new OtelObserver(within, all, this.#instruments)
    try {
      return await context.with(within, () => work(inner))
    } catch (error) {
      failed(span, error)
      throw error
    } finally {
      inner.throttled(null)
      span.end()
    }
  }

  readonly committed = (batch: BatchObservation): void => {
    quietly(() => this.#committed(batch))
  }

  readonly throttled = (wait: Wait | null): void => {
    quietly(() => this.#throttle(wait))
  }

  #committed({ ms, pass, ...rows }: BatchObservation): void {
    const ended = Date.now()
    const counts = Object.entries(rows).map(([name, count]) => [`rowseal.${name}`, count] as const)
    const attributes = {
      ...this.#attributes,
      'rowseal.pass': pass,
      ...(Object.fromEntries(counts) as Attributes),
    }
    trace
      .getTracer(SCOPE)
      .startSpan('rowseal.batch', { attributes, startTime: ended - ms }, this.#context)
      .end(ended)
    for (const name of ['rows', 'superseded', 'quarantined'] as const)
      if (rows[name] > 0) this.#instruments[name].add(rows[name], this.#attributes)
    this.#instruments.batch.record(ms, this.#attributes)
  }

  #throttle(wait: Wait | null): void {
    const before = this.#throttled
    const now = performance.now()
    if (before !== null) {
      const attributes = { ...this.#attributes, 'rowseal.throttle': before.kind }
      this.#instruments.throttled.add((now - before.since) / 1000, attributes)
    }
    this.#throttled = wait === null ? null : { since: now, kind: wait.kind }
  }
}

/** What is wrong with a dashboard is not wrong with the run. */
function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // There is nobody to tell.
  }
}

/** By its code only: a message may name what the database said. */
function failed(span: Span, error: unknown): void {
  const { code } = Object(error) as { code?: unknown }
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.setAttribute('error.type', typeof code === 'string' ? code : '_OTHER')
}

interface Instruments {
  readonly rows: Counter
  readonly superseded: Counter
  readonly quarantined: Counter
  readonly batch: Histogram
  readonly throttled: Counter
}

function instrumentsOf(): Instruments {
  const meter = metrics.getMeter(SCOPE)
  const rows = (name: string, description: string): Counter =>
    meter.createCounter(`rowseal.${name}`, { unit: '{row}', description })
  return {
    rows: rows('rows', 'Rows rewritten.'),
    superseded: rows('superseded', 'Rows left alone because somebody else wrote or locked them.'),
    quarantined: rows('quarantined', 'Rows with a value that was put into quarantine.'),
    batch: meter.createHistogram('rowseal.batch.duration', {
      unit: 'ms',
      description: 'From BEGIN until the commit of a batch was confirmed.',
    }),
    throttled: meter.createCounter('rowseal.throttled', {
      unit: 's',
      description: 'Time in which no batch began because of a rate cap or a health check.',
    }),
  }
}
