import { Heartbeat } from '../runs/heartbeat.ts'
import { newOwner } from '../runs/owner.ts'
import type { Outcome, Run, RunStore } from '../runs/store.ts'

/**
 * Do something as the one run that writes to a model.
 *
 * @throws {MigrationError} `ERR_RUN_STATE` if another run has it, `ERR_CHECKPOINT_NEWER`
 */
export async function withRun<R extends { readonly outcome: Outcome }>(
  store: RunStore,
  model: string,
  direction: string,
  work: (run: Run, heartbeat: Heartbeat) => Promise<R>,
): Promise<R> {
  const run = await store.claim(model, direction, newOwner())
  const heartbeat = new Heartbeat(store, run)
  try {
    const report = await work(run, heartbeat)
    await heartbeat.stop()
    await store.release(run, report.outcome)
    return report
  } catch (error) {
    await heartbeat.stop()
    // The error matters more than whether the run could be given back: without, it lapses.
    await store.release(run, 'failed').catch(() => undefined)
    throw error
  }
}
