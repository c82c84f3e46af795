import type { RunId } from './parts.ts'
import type { RunSql } from './sql.ts'
import type { RunState } from './states.ts'

/** The layout of a run whose parts are handed out to workers. */
export const QUEUE_LAYOUT = 'queue'

/** What a run is begun with. */
export interface RunSpec extends Omit<RunId, 'run'> {
  readonly direction: string
  /** How the table is cut: `whole`, `4 shards`, `queue`. Workers of one run agree on it. */
  readonly layout: string
  /** Digest of the plan. */
  readonly plan: string
  /** Leave nothing of a run that was not ended. */
  readonly restart?: boolean
}

/** A run as it stands. */
export interface RunRow extends RunId {
  readonly direction: string
  readonly layout: string
  readonly plan: string
  readonly state: RunState
  /** Why it is paused, or how it ended; null if there is nothing to say. */
  readonly reason: string | null
  /** What an operator has set from another terminal, as JSON; null for nothing. */
  readonly pace: string | null
  readonly since: Date
  readonly changed: Date
}

/** As the database gives it. */
export interface Row {
  model: string
  kind: RunId['kind']
  direction: string
  layout: string
  plan: string
  state: RunState
  reason: string | null
  pace: string | null
  format: string
  run: string
  since_ms: string
  changed_ms: string
}

/** A condition on one run, and its parameters by `idOf`. */
export const OF_RUN = 'model = ? AND kind = ? AND run = ?'

export function idOf({ model, kind, run }: RunId): unknown[] {
  return [model, kind, run]
}

/** What `infoOf` takes. */
export function columnsOf(sql: RunSql): string {
  return [
    'model, kind, direction, layout, plan, state, reason, pace',
    ...['format', 'run'].map((name) => sql.text(name, name)),
    sql.text('began_at_ms', 'since_ms'),
    sql.text('changed_at_ms', 'changed_ms'),
  ].join(', ')
}

export function infoOf(row: Row): RunRow {
  const { model, kind, direction, layout, plan, state, reason, pace } = row
  const [since, changed] = [row.since_ms, row.changed_ms].map((ms) => new Date(Number(ms)))
  const run = Number(row.run)
  return {
    model,
    kind,
    run,
    direction,
    layout,
    plan,
    state,
    reason,
    pace,
    since: since!,
    changed: changed!,
  }
}
