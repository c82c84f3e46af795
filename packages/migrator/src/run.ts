import type { MigratorConfig } from './config.ts'
import { decrypt } from './decrypt/decrypt.ts'
import { drain } from './drain/drain.ts'
import type { DrainReport } from './drain/drained.ts'
import { encrypt } from './encrypt/encrypt.ts'
import type { RunDirectionOptions, RunEvent, RunReport } from './engine/events.ts'
import type { ReindexEvent, ReindexOptions, ReindexReport } from './reindex/options.ts'
import { reindex } from './reindex/reindex.ts'
import { rewrap } from './rewrap/rewrap.ts'
import type { VerifyEvent, VerifyOptions, VerifyReport } from './verify/options.ts'
import { verify } from './verify/verify.ts'

interface Of<Options, Report, Event> {
  readonly options: Options
  readonly report: Report
  readonly event: Event
}

/** What each direction takes, what it leaves, and what it tells while it runs. */
export interface Directions {
  readonly encrypt: Of<RunDirectionOptions, RunReport, RunEvent>
  readonly drain: Of<RunDirectionOptions, DrainReport, RunEvent>
  readonly rewrap: Of<RunDirectionOptions, DrainReport, RunEvent>
  readonly reindex: Of<ReindexOptions, ReindexReport, ReindexEvent>
  readonly decrypt: Of<RunDirectionOptions, RunReport, RunEvent>
  readonly verify: Of<VerifyOptions, VerifyReport, VerifyEvent>
}

export type DirectionName = keyof Directions

type Run<D extends DirectionName> = (
  config: MigratorConfig,
  options?: Directions[D]['options'],
) => Promise<Directions[D]['report']>

const RUNS: { readonly [D in DirectionName]: Run<D> } = {
  encrypt,
  drain,
  rewrap,
  reindex,
  decrypt,
  verify,
}

/**
 * Go over the tables in one direction, in batches, while the application runs: what `rowseal` and the name of the
 * direction do on the command line. Can be stopped by `signal`, or killed, and run again. Each direction is a
 * function of that name too.
 *
 * @throws {TypeError} for a direction that does not exist; else as the direction.
 */
export async function run<D extends DirectionName>(
  config: MigratorConfig,
  direction: D,
  options?: Directions[D]['options'],
): Promise<Directions[D]['report']> {
  if (!Object.hasOwn(RUNS, direction))
    throw new TypeError(`A direction is one of ${Object.keys(RUNS).join(', ')}.`)
  return RUNS[direction](config, options)
}
