import { Heartbeat } from '../runs/heartbeat.ts'
import { newOwner } from '../runs/owner.ts'
import { takenOver } from '../runs/errors.ts'
import type { Part, Range } from '../runs/parts.ts'
import type { Ended } from '../runs/progress.ts'
import { settle } from '../runs/settle.ts'
import type { RunRow, RunSpec, RunStore } from '../runs/store.ts'

/** What somebody has who works on a part of a run. */
export interface Work {
  readonly run: RunRow
  readonly part: Part
  readonly heartbeat: Heartbeat
}

export interface Worked<R> {
  readonly report: R
  /** What became of the part; null if somebody is to go on with it. */
  readonly ended: Ended | null
}

/** All rows of a table as one part. */
export const WHOLE: readonly Range[] = [{ after: null, until: null }]

/**
 * Begin a run of one part, or go on with the one that is there, and do something as its only worker.
 *
 * @throws {MigrationError} `ERR_RUN_STATE` if another worker has it, `ERR_CHECKPOINT_NEWER`, `ERR_CHECKPOINT_PLAN`
 */
export async function withRun<R>(
  store: RunStore,
  spec: Omit<RunSpec, 'layout'>,
  work: (work: Work) => Promise<Worked<R>>,
): Promise<R> {
  const run = await store.begin({ ...spec, layout: 'whole' }, () => Promise.resolve(WHOLE))
  const report = await withPart(store, run, 0, '', work)
  // Between the two somebody else has ended it.
  if (report === null) throw takenOver(run)
  return report
}

/**
 * Do something as the one that works on a part of a run. Gives null if nothing is left to do in it.
 *
 * @param target - what passes look for.
 * @throws {MigrationError} `ERR_RUN_STATE` if another worker has it.
 */
export async function withPart<R>(
  store: RunStore,
  run: RunRow,
  number: number,
  target: string,
  work: (work: Work) => Promise<Worked<R>>,
): Promise<R | null> {
  const part = await store.parts.claim(run, number, newOwner(), target)
  if (part === null) {
    // Whoever ended the last part may have gone before it could say so.
    await settle(store, run)
    return null
  }
  await store.move(run, 'running', null, ['planned'])
  const heartbeat = new Heartbeat(store.parts, part)
  try {
    const { report, ended } = await work({ run, part, heartbeat })
    await heartbeat.stop()
    const isOurs = await store.parts.release(part, ended)
    // Whoever has it now may have changed what the last pass had seen.
    if (ended !== null && !isOurs) throw takenOver(run)
    if (ended !== null) await settle(store, run)
    return report
  } catch (error) {
    await heartbeat.stop()
    // The error matters more than whether the part could be given back: without, it lapses.
    await leave(store, run, part, error).catch(() => undefined)
    throw error
  }
}

/** Others may go on with their parts; a run of one has failed. */
async function leave(store: RunStore, run: RunRow, part: Part, error: unknown): Promise<void> {
  if (run.layout === 'whole') {
    const { code } = Object(error) as { code?: unknown }
    // Before the part is given back: after that the run is another's.
    await store.fail(part, typeof code === 'string' ? code : 'an unknown error')
  }
  await store.parts.release(part, null)
}
