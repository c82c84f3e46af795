import { takenOver } from '../runs/errors.ts'
import type { Part } from '../runs/parts.ts'
import type { RunStore } from '../runs/store.ts'
import type { TargetIndex } from '../targets.ts'
import { retrying } from './conflicts.ts'
import { statesOf, type IndexState } from './states.ts'

/**
 * Change in the key store how far an index is, as the owner of a run whose tables may be in another database:
 *
 *   read the key store → is the part still ours? → write, if the key store is at the revision that was read
 *
 * Whoever takes the part over does so after the second step, and changes the key store after that: what its former
 * owner writes when it wakes up then finds another revision.
 *
 * @param change - decides by the state that was read, and writes by its `revision`.
 * @throws {MigrationError} `ERR_RUN_STATE` if the part was taken over.
 */
export function asOwner<R>(
  store: RunStore,
  part: Part,
  index: TargetIndex,
  change: (now: IndexState) => Promise<R>,
): Promise<R> {
  return retrying(async () => {
    const [now] = await statesOf([index])
    if (!(await store.parts.beat(part))) throw takenOver(part)
    return change(now!)
  })
}
