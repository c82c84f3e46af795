import { DECRYPT } from '../decrypt/decrypt.ts'
import { DRAIN } from '../drain/direction.ts'
import { ENCRYPT } from '../encrypt/encrypt.ts'
import type { Direction } from '../engine/direction.ts'
import { MigrationError } from '../errors.ts'
import { REWRAP } from '../rewrap/rewrap.ts'
import type { RunRow } from '../runs/store.ts'

const DIRECTIONS: readonly Direction[] = [ENCRYPT, DRAIN, REWRAP, DECRYPT]

/** What a run does that this worker did not begin. @throws {MigrationError} `ERR_CHECKPOINT_NEWER` */
export function directionOf({ direction, model }: RunRow): Direction {
  const found = DIRECTIONS.find(({ name }) => name === direction)
  if (found !== undefined) return found
  throw new MigrationError(
    'ERR_CHECKPOINT_NEWER',
    `This version of Rowseal cannot ${direction} ${model} as a worker.`,
    { fix: 'Update @rowseal/migrator of this worker.' },
  )
}
