import type { Violation } from './checker/operation.ts'
import type { Event } from './history.ts'

/** What ran, for a person. */
export interface Summary {
  readonly title: string
  readonly events: readonly Event[]
  readonly started: number
  readonly ends: ReadonlyMap<string, number>
  readonly deeds: ReadonlyMap<string, number>
  readonly facts: Readonly<Record<string, string | number>>
  readonly violations: readonly Violation[]
}

const MAX_SHOWN = 20

export function render({
  title,
  events,
  ends,
  deeds,
  facts,
  violations,
  started,
}: Summary): string {
  const count = (kind: string, outcome: string): number =>
    events.filter((event) => nameOf(event) === kind && event.outcome === outcome).length
  const kinds = [...new Set(events.map(nameOf))].sort()
  const table = kinds.map((kind) =>
    [kind.padEnd(14), ...OUTCOMES.map((outcome) => String(count(kind, outcome)).padStart(14))].join(
      '',
    ),
  )
  const codes = countBy(events.flatMap(({ code }) => (code === null ? [] : [code])))
  return [
    title,
    '',
    `${'operation'.padEnd(14)}${OUTCOMES.map((outcome) => outcome.padStart(14)).join('')}`,
    ...table,
    '',
    ...Object.entries(facts).map(([name, value]) => `${name.padEnd(34)}${value}`),
    `${'processes started'.padEnd(34)}${started}`,
    `${'how they ended'.padEnd(34)}${listed(ends)}`,
    `${'harm done'.padEnd(34)}${listed(deeds)}`,
    `${'errors'.padEnd(34)}${listed(codes)}`,
    '',
    violations.length === 0 ? 'No violation.' : `${violations.length} violations:`,
    ...violations.slice(0, MAX_SHOWN).map(said),
  ].join('\n')
}

const OUTCOMES = ['ok', 'failed', 'indeterminate'] as const

/** Without key ids. */
const nameOf = ({ kind }: Event): string => kind.replace(/ \d+$/, '')

const said = ({ check, what, shown }: Violation): string =>
  [`${check}: ${what}`, ...shown.map((one) => `    ${JSON.stringify(one)}`)].join('\n')

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort()
    .map(([name, n]) => `${name}: ${n}`)
    .join(', ')

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
