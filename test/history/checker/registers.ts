import type { Operation, Violation } from './operation.ts'

/**
 * Is each record a register? Every operation seems to happen at one moment between its start and its end, and each
 * read gives what the last write before it wrote. Every write to a record writes another value, so a read names
 * its write, and this can be told in O(n log n) (P. Gibbons, E. Korach: Testing Shared Memories, SIAM J. Comput.
 * 26(4), 1997, section 4):
 *
 *   A value's operations are its write and the reads of it. From the earliest end to the latest start among
 *   them is its zone: a forward zone if the end comes first (the value was in the record all that time), else a
 *   backward zone (its operations may all have been at one moment in it).
 *   The record is a register if and only if each read ends after its write has started, no two forward zones
 *   overlap, and no backward zone lies within a forward zone of another value.
 *
 * A write of which nobody knows whether it was done counts if somebody read its value, at any time from its start
 * on; else it is as if it had not been sent. One that was refused must never be read.
 */
export function checkRegisters(operations: readonly Operation[]): Violation[] {
  return [...groupedBy(operations, ({ record }) => record)].flatMap(([record, all]) =>
    checkRegister(record, all),
  )
}

/** A value, what was done with it, and when it must have been in the record. */
interface Zone {
  readonly value: string
  readonly operations: readonly Operation[]
  readonly minEnd: number
  readonly maxStart: number
}

function checkRegister(record: string, operations: readonly Operation[]): Violation[] {
  const violations: Violation[] = []
  const complain = (what: string, shown: readonly Operation[]): void =>
    void violations.push({ check: 'registers', what: `${record}: ${what}`, shown })
  const zones: Zone[] = []
  for (const [value, all] of groupedBy(operations, (operation) => operation.value)) {
    const zone = zoneOf(value, all, complain)
    if (zone !== null) zones.push(zone)
  }
  checkZones(zones, complain)
  return violations
}

type Complain = (what: string, shown: readonly Operation[]) => void

/** @returns null for a value that plays no part. */
function zoneOf(value: string, all: readonly Operation[], complain: Complain): Zone | null {
  const reads = all.filter(({ kind, outcome }) => kind === 'read' && outcome === 'ok')
  const [write, ...others] = all.filter(({ kind }) => kind === 'write')
  if (write === undefined) {
    if (reads.length > 0) complain('a value was read that nobody wrote', reads)
    return null
  }
  if (others.length > 0) throw new TypeError(`Two writes wrote ${value}: the harness is wrong.`)
  if (write.outcome !== 'ok' && reads.length === 0) return null
  if (write.outcome === 'failed') complain('a value was read whose write was refused', all)
  const early = reads.filter(({ end }) => end < write.start)
  if (early.length > 0) complain('a value was read before it was written', [write, ...early])
  const written = write.outcome === 'ok' ? write : { ...write, end: Infinity }
  const operations = [written, ...reads]
  return {
    value,
    operations,
    minEnd: least(operations.map(({ end }) => end)),
    maxStart: -least(operations.map(({ start }) => -start)),
  }
}

function checkZones(zones: readonly Zone[], complain: Complain): void {
  const isForward = ({ minEnd, maxStart }: Zone): boolean => minEnd < maxStart
  const forward = zones.filter(isForward).sort((a, b) => a.minEnd - b.minEnd)
  let latest: Zone | undefined
  for (const zone of forward) {
    if (latest !== undefined && zone.minEnd < latest.maxStart)
      complain('a value came back after another was there', witnesses(latest, zone))
    if (latest === undefined || zone.maxStart > latest.maxStart) latest = zone
  }
  for (const zone of zones.filter((one) => !isForward(one))) {
    const around = forward.find(
      ({ minEnd, maxStart }) => minEnd < zone.maxStart && zone.minEnd < maxStart,
    )
    if (around !== undefined)
      complain('a write was lost: the value before it was read after it', witnesses(around, zone))
  }
}

/** Of each value: what ended first, and what began last. */
function witnesses(...zones: readonly Zone[]): Operation[] {
  return zones.flatMap(({ operations, minEnd, maxStart }) => {
    const chosen = [
      operations.find(({ kind }) => kind === 'write')!,
      operations.find(({ end }) => end === minEnd)!,
      operations.find(({ start }) => start === maxStart)!,
    ]
    return [...new Set(chosen)]
  })
}

const least = (numbers: readonly number[]): number =>
  numbers.reduce((a, b) => Math.min(a, b), Infinity)

export function groupedBy<T>(list: Iterable<T>, key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of list) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}
