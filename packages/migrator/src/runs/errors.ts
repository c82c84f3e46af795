import { MigrationError } from '../errors.ts'
import type { RunId } from './parts.ts'
import type { RunRow } from './store.ts'

/** After this long without a heartbeat a part counts as abandoned. */
export const HEARTBEAT_LAPSE_MS = 15_000

/** @returns the error for a part, or a run, that somebody works on. */
export function taken(
  { model, kind, since }: RunId & { readonly since: Date },
  owner: string,
): MigrationError {
  return new MigrationError(
    'ERR_RUN_STATE',
    `Another run ${kind === 'read' ? 'reads' : 'writes to'} ${model}: ${owner} (host:pid:id), since ${since.toISOString()}.`,
    {
      fix: `Wait until it has ended, or end it; ${HEARTBEAT_LAPSE_MS / 1000} s later its run is free.`,
      retryable: true,
    },
  )
}

/** @returns the error for a part that is no longer ours. */
export function takenOver({ model }: RunId): MigrationError {
  return new MigrationError(
    'ERR_RUN_STATE',
    `Another run has taken over ${model}. The batch in hand was rolled back.`,
    { fix: 'Leave it to that run.' },
  )
}

export function couldNot(
  { model }: Pick<RunId, 'model'>,
  done: 'begun' | 'claimed',
): MigrationError {
  return new MigrationError('ERR_RUN_STATE', `The run on ${model} could not be ${done}.`, {
    fix: 'Run the same command again.',
    retryable: true,
  })
}

export function newer(model: string, format: string): MigrationError {
  return new MigrationError(
    'ERR_CHECKPOINT_NEWER',
    `A newer version of Rowseal left a run on ${model} (format ${format}).`,
    { fix: 'Update @rowseal/migrator.' },
  )
}

export function paused({ model, direction, reason }: RunRow): MigrationError {
  return new MigrationError(
    'ERR_RUN_STATE',
    `A ${direction} of ${model} is paused${reason === null ? '' : `: ${reason}`}.`,
    { fix: `\`npx rowseal runs resume ${model}\`, or \`npx rowseal runs cancel ${model}\`.` },
  )
}

export function otherPlan({ model, direction }: RunRow): MigrationError {
  return new MigrationError(
    'ERR_CHECKPOINT_PLAN',
    `The ${direction} of ${model} was begun under another plan: the schema has changed since.`,
    { fix: `Pass --restart to go over ${model} anew. What was written stays.` },
  )
}

/** @returns the error for a retry where a run is to be ended first. */
export function unfinished({ model, direction }: RunRow): MigrationError {
  const command = direction === 'rewrap' ? 'drain --rewrap' : direction
  return new MigrationError(
    'ERR_RUN_STATE',
    `A ${direction} of ${model} was begun and is not at its end. It tries again itself what it has put into quarantine.`,
    {
      fix: `Run \`npx rowseal ${command}\` to its end first, or give it up with \`npx rowseal runs cancel ${model}\`.`,
    },
  )
}

/** @returns the error for a table that an earlier version has made, and that holds nothing that is not found again. */
export function earlierTable(table: string): MigrationError {
  return new MigrationError(
    'ERR_RUN_TABLES',
    `The table ${table} was made by an earlier version of Rowseal.`,
    {
      fix: `Run \`DROP TABLE ${table}\`, then \`npx rowseal init\`: values are not touched, and what the table held is found again by the next run over each model.`,
    },
  )
}
