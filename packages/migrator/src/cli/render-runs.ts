import { QUEUE_LAYOUT } from '../runs/run-row.ts'
import type { RunInfo } from '../runs/list.ts'
import type { OperatedRun } from '../runs/operate.ts'
import { commandOf } from './command-of.ts'
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

function notesOf(run: RunInfo): string {
  const { state, reason, workers, direction, parts, looked } = run
  const seen = looked > 0 ? `${count(looked)} rows looked at` : ''
  const isGoing = state === 'planned' || state === 'running' || state === 'finishing'
  const by = workers.length > 0 ? `by ${workers.join(', ')}` : ''
  const command = parts.layout === QUEUE_LAYOUT ? 'worker' : commandOf(direction)
  const left = isGoing && by === '' ? `nobody works on it: npx rowseal ${command}` : ''
  return [seen, reason ?? '', by, left].filter((part) => part !== '').join('; ')
}
