import type { PaceChange } from '../pace/stored.ts'
import type { RunInfo } from '../runs/list.ts'
import type { OperatedRun } from '../runs/operate.ts'
import { count, dateOf, table } from './output.ts'

export function renderRuns(runs: readonly RunInfo[]): string {
  if (runs.length === 0) return 'There was no run yet.'
  const rows = runs.map((run) => [
    run.model,
    run.direction,
    run.state,
    run.rows,
    run.superseded,
    run.quarantined,
    `${run.parts.done} of ${run.parts.count}`,
    dateOf(run.since),
    notesOf(run),
  ])
  const head = ['model', 'run', 'state', 'rewritten', 'superseded', 'quarantined', 'parts']
  return table([...head, 'since', ''], rows)
}

export function renderOperated(runs: readonly OperatedRun[]): string {
  if (runs.length === 0) return 'No run goes on.'
  return runs
    .map(({ model, direction, state, isChanged }) =>
      isChanged
        ? `${model}: ${direction} is ${state} now.`
        : `${model}: ${direction} is ${state}, so nothing was changed.`,
    )
    .join('\n')
}

/** What another pace does to each run, from its next batch on. */
export function renderPaced(runs: readonly OperatedRun[], change: PaceChange): string {
  if (runs.every(({ isChanged }) => !isChanged)) return renderOperated(runs)
  const { throttle = {}, ...options } = change
  const said = Object.entries({ ...options, ...throttle }).map(([name, value]) =>
    value === null ? `${name} off, whatever it was started with` : `${name} ${String(value)}`,
  )
  return runs
    .map((run) =>
      run.isChanged
        ? `${run.model}: ${run.direction} goes on with ${said.join(', ')}.`
        : renderOperated([run]),
    )
    .join('\n')
}

function notesOf({ reason, workers, looked, goOn }: RunInfo): string {
  const [first, ...others] = goOn
  const seen = looked > 0 ? `${count(looked)} rows looked at` : ''
  const by = workers.length > 0 ? `by ${workers.join(', ')}` : ''
  const more = others.length === 0 ? '' : `, and ${count(others.length)} more shards`
  const left = first === undefined ? '' : `nobody works on it: ${first}${more}`
  return [seen, reason ?? '', by, left].filter((part) => part !== '').join('; ')
}
