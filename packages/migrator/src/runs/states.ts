/**
 * The states of a run. Who works on it is another matter (`rowseal_parts`): a run that nobody works on
 * stays in its state, and whoever begins it again goes on with it.
 *
 *   planned → running ⇄ paused
 *             running → finishing → succeeded | failed | cancelled
 *
 * Each change is a conditional write on the state it comes from, so of two at once one gets through.
 */
export type RunState =
  | 'planned' // cut into parts, none taken yet
  | 'running' // some part was not gone over once
  | 'paused' // by an operator; whoever works on it waits
  | 'finishing' // each part was gone over; passes begun after the fence go on until one meets nothing
  | 'succeeded' // such a pass met nothing stale, nothing superseded, and nothing is in quarantine
  | 'failed' // its worker met an error, or something is left
  | 'cancelled' // by an operator, or left by its worker and replaced by another run

const ERROR = 'a worker met an error that it could not go on after'
const PAUSED = 'an operator paused it'
const CANCELLED = 'an operator cancelled it'
const REPLACED = 'an operator cancelled it, or its worker had left it and another run was begun'

/** Why a run goes from one state to another. docs/spec/runs.md has the same table. */
export const TRANSITIONS: Readonly<Record<RunState, Readonly<Partial<Record<RunState, string>>>>> =
  {
    planned: {
      running: 'a worker took a part',
      paused: PAUSED,
      failed: ERROR,
      cancelled: REPLACED,
    },
    running: {
      finishing: 'every part was gone over once',
      paused: PAUSED,
      failed: ERROR,
      cancelled: REPLACED,
    },
    paused: {
      running: 'an operator resumed it',
      finishing: 'an operator resumed it, and every part had been gone over once',
      failed: ERROR,
      cancelled: CANCELLED,
    },
    finishing: {
      succeeded: 'in each part a pass begun after the fence met nothing to do',
      failed: `something is in quarantine or still stale, or ${ERROR}`,
      paused: PAUSED,
      cancelled: REPLACED,
    },
    succeeded: {},
    failed: {
      running: 'it was begun again, and goes on where it ended',
      cancelled: REPLACED,
    },
    cancelled: {},
  }

/** The states from which a run may go into another. */
export function statesBefore(next: RunState): readonly RunState[] {
  const states = Object.keys(TRANSITIONS) as RunState[]
  return states.filter((state) => TRANSITIONS[state][next] !== undefined)
}

/** States in which somebody may work on it. */
export const ACTIVE: readonly RunState[] = ['planned', 'running', 'paused', 'finishing']

/** May somebody work on it? */
export function isActive(state: RunState): boolean {
  return ACTIVE.includes(state)
}
