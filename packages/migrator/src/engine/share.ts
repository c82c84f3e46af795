import type { Context } from '../config.ts'
import type { Range } from '../runs/parts.ts'
import { countRows, type Target } from '../targets.ts'
import { cutByCount } from './cut.ts'
import type { RunOptions } from './options.ts'
import { WHOLE } from './work.ts'

/** What of a table a command works on: all of it, or one of so many shares. */
export interface Share {
  /** Of the run. */
  readonly layout: string
  /** Number of the part. */
  readonly part: number
  /** Ranges of all parts, for who begins the run. */
  readonly cut: () => Promise<readonly (Range | null)[]>
}

export function shareOf(context: Context, target: Target, shard: RunOptions['shard']): Share {
  if (shard === undefined) return { layout: 'whole', part: 0, cut: () => Promise.resolve(WHOLE) }
  const { index, of } = shard
  const cut: Share['cut'] = async () => {
    const rows = await countRows(context, target, '1 = 1')
    return cutByCount(context.client, target.table, rows, of)
  }
  return { layout: `${of} shards`, part: index - 1, cut }
}
