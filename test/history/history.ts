import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Operation, Outcome } from './checker/operation.ts'
import type { Line } from './recorder.ts'

/** What one process did, its start and end together. */
export interface Event {
  readonly process: string
  readonly kind: string
  readonly start: number
  /** Infinity if the process ended first. */
  readonly end: number
  readonly outcome: Outcome
  readonly code: string | null
  readonly isRetryable: boolean
  readonly writes: Readonly<Record<string, string>>
  readonly reads: Readonly<Record<string, string | null>>
  readonly detail: any
}

/** All that was recorded in a folder, by the files' names. */
export function readEvents(folder: string): Event[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) =>
      eventsOf(name.replace('.jsonl', ''), readFileSync(join(folder, name), 'utf8')),
    )
}

/** @param text - lines; the last may be cut off where a process was killed. */
export function eventsOf(process: string, text: string): Event[] {
  const lines = text.split('\n')
  // After the last line is nothing, or what a process did not come to write.
  lines.pop()
  const started = new Map<number, Extract<Line, { at: 'start' }>>()
  const events: Event[] = []
  for (const line of lines.map((each) => JSON.parse(each) as Line)) {
    if (line.at === 'start') started.set(line.n, line)
    else {
      events.push(eventOf(process, started.get(line.n)!, line))
      started.delete(line.n)
    }
  }
  return [...events, ...[...started.values()].map((start) => eventOf(process, start, null))]
}

function eventOf(
  process: string,
  { kind, us, writes = {} }: Extract<Line, { at: 'start' }>,
  end: Extract<Line, { at: 'end' }> | null,
): Event {
  return {
    process,
    kind,
    start: us,
    end: end?.us ?? Infinity,
    outcome: end?.outcome ?? 'indeterminate',
    code: end?.code ?? null,
    isRetryable: end?.isRetryable ?? false,
    writes,
    reads: end?.reads ?? {},
    detail: end?.detail ?? null,
  }
}

/** A record that is not there, at first; and what whoever deletes one writes: nothing is ever made again. */
const ABSENT = 'absent'
export const DELETED = 'deleted'

/** An event of several records is an operation on each. */
export function operationsOf(events: readonly Event[]): Operation[] {
  const records = new Set<string>()
  const deleted = new Set<string>()
  for (const { writes } of events)
    for (const [record, value] of Object.entries(writes)) {
      records.add(record)
      if (value === DELETED) deleted.add(record)
    }
  const nothing = { process: 'nobody', start: 0, end: 0, outcome: 'ok' } as const
  return [
    ...[...records].map((record): Operation => {
      return { ...nothing, kind: 'write', record, value: ABSENT }
    }),
    ...events.flatMap(({ process, start, end, outcome, writes, reads }) => [
      ...Object.entries(writes).map(([record, value]): Operation => {
        return { process, kind: 'write', record, value, start, end, outcome }
      }),
      ...Object.entries(reads).map(([record, read]): Operation => {
        const value = read ?? (deleted.has(record) ? DELETED : ABSENT)
        return { process, kind: 'read', record, value, start, end, outcome: 'ok' }
      }),
    ]),
  ]
}
