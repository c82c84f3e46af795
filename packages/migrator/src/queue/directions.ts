import { sweepOf } from '../directions.ts'
import type { Direction } from '../engine/direction.ts'
import { MigrationError } from '../errors.ts'
import type { RunRow } from '../runs/store.ts'

/** What a run does that this worker did not begin. @throws {MigrationError} `ERR_CHECKPOINT_NEWER` */
export function directionOf({ direction, model }: RunRow): Direction {
  const found = sweepOf(direction)
  if (found !== null) return found
  throw new MigrationError(
    'ERR_CHECKPOINT_NEWER',
    `This version of Rowseal cannot ${direction} ${model} as a worker.`,
    { fix: 'Update @rowseal/migrator of this worker.' },
  )
}
