import type { Wait } from '../pace/pace.ts'

/**
 * What a run tells of itself to OpenTelemetry, if the application has it. Names and numbers: never a value, a key
 * or the key of a record. Nothing it does can fail a run.
 */
export interface Observer {
  /** A span around some work, whose own ones are within it. */
  span<R>(
    name: 'rowseal.run' | 'rowseal.model',
    attributes: Attributes,
    work: (within: Observer) => Promise<R>,
  ): Promise<R>
  /** A batch was committed just now. */
  readonly committed: (batch: BatchObservation) => void
  /** A run waits because of a cap or a health check, or goes on (null). */
  readonly throttled: (wait: Wait | null) => void
}

/** A batch that was committed, in rows. */
export interface BatchObservation {
  readonly pass: number
  readonly rows: number
  readonly superseded: number
  readonly quarantined: number
  /** From BEGIN until the commit was confirmed. */
  readonly ms: number
}

export type Attributes = Readonly<Record<string, string | number>>

const NOBODY: Observer = {
  span: (_name, _attributes, work) => work(NOBODY),
  committed: () => undefined,
  throttled: () => undefined,
}

type Load = () => Promise<{ readonly OtelObserver: new () => Observer }>

/** @param load - for tests. */
export async function openObserver(load: Load = () => import('./otel.ts')): Promise<Observer> {
  try {
    const { OtelObserver } = await load()
    return new OtelObserver()
  } catch {
    // The optional peer is not there, or cannot be used.
    return NOBODY
  }
}
