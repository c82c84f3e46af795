import { checkNonces } from './checker/nonces.ts'
import type { Violation } from './checker/operation.ts'
import { checkRegisters } from './checker/registers.ts'
import { checkFences, checkVersions, type Fenced, type Head } from './checker/versions.ts'
import { operationsOf, type Event } from './history.ts'
import type { Observer } from './observer.ts'

/** Codes of what does not open, whatever harm was done to processes, database and KMS. */
const UNREADABLE = new Set([
  'ERR_ENVELOPE_AUTH',
  'ERR_ENVELOPE_MALFORMED',
  'ERR_PLAINTEXT_REFUSED',
  'ERR_KEY_UNKNOWN',
  'ERR_KEY_MISMATCH',
  'ERR_STORE_TAMPERED',
])

/** All checks of what was recorded. */
export function checkEvents(events: readonly Event[], observer: Observer): Violation[] {
  const { sightings, present, heads, envelopes } = observer
  return [
    ...checkRegisters(operationsOf(events)),
    ...checkReadable(events),
    ...checkSearches(events),
    ...checkComparisons(events),
    ...checkVersions(sightings, heads, resumed(events)),
    ...checkFences(present, fenced(events)),
    ...checkNonces(envelopes),
  ]
}

function checkReadable(events: readonly Event[]): Violation[] {
  return events
    .filter(({ code, isRetryable }) => !isRetryable && UNREADABLE.has(code ?? ''))
    .map((event) => {
      const what = `${event.process}: ${event.kind} met ${event.code ?? ''}`
      return { check: 'readable', what, shown: [event] }
    })
}

/** Whoever looks for a login finds one row at most, which has it. */
function checkSearches(events: readonly Event[]): Violation[] {
  return events
    .filter(({ kind, detail }) => kind === 'search' && detail !== null)
    .filter(({ detail }) => detail.found > 1 || detail.isRight === false)
    .map((event) => {
      const what = `${event.process} looked for a login, and found ${event.detail.found} rows`
      return { check: 'blind indexes', what, shown: [event] }
    })
}

/** Whoever looks by an index finds all rows that have the value, and no other. */
function checkComparisons(events: readonly Event[]): Violation[] {
  return events
    .filter(({ kind, detail }) => kind === 'compare' && detail?.isRight === false)
    .map((event) => {
      const { field, found, expected } = event.detail
      const what = `${event.process} found ${found} rows by ${field} where ${expected} have it`
      return { check: 'blind indexes', what, shown: [{ ...event, reads: {} }] }
    })
}

const keyIdIn = (word: string, { kind }: Event): number | null =>
  kind.startsWith(`${word} `) ? Number(kind.slice(word.length + 1)) : null

/** Tried, at least: of one that was killed nobody knows whether it had come to it. */
function resumed(events: readonly Event[]): Head[] {
  return events.flatMap((event) => {
    const keyId = keyIdIn('resume', event)
    return keyId === null || event.outcome === 'failed' ? [] : [{ keyId, us: event.start }]
  })
}

function fenced(events: readonly Event[]): Fenced[] {
  return events.flatMap((event) => {
    const keyId = keyIdIn('retire', event)
    const isDone = event.outcome === 'ok' && event.detail?.outcome === 'done'
    return keyId === null || !isDone ? [] : [{ keyId, us: event.end }]
  })
}
