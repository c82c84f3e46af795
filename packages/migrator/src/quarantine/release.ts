import type { Plan } from '@rowseal/prisma-extension/plan'
import { placesWhere, presentCondition } from '@rowseal/prisma-extension/sql'
import { mayGoOn, type PassJob } from '../engine/pass.ts'
import type { Strategy } from '../engine/strategy.ts'
import { REFUSAL_CODES } from '../refusals.ts'
import type { Checkpoint } from '../runs/checkpoint.ts'
import { Entries, placeOf, type Place, type QuarantineEntry } from './entries.ts'
import { keysOf, leftBy } from './left.ts'

export interface ReleaseJob extends Omit<PassJob, 'onBatch'> {
  readonly plan: Plan
  /** Sealed fields, and columns of blind indexes, that were looked at. */
  readonly fields: readonly string[]
  /** How the pass has ended: what is recorded since it began stays. */
  readonly checkpoint: Checkpoint | null
  /** What tells whether anything is wrong with a record. Asked only if there are entries. */
  readonly looks: () => Promise<readonly Strategy[]>
}

/** Entries that are looked at together. */
const TOGETHER = 500

/**
 * After a pass that came to the end of a table, look again at what is in quarantine since before it: an entry goes
 * away if its record is gone, or nothing is wrong with its field any more. What the database has refused other
 * directions stays: who does not write it does not see that.
 */
export async function release(job: ReleaseJob): Promise<void> {
  const { client, store, part, target, plan } = job
  const beganMs = job.checkpoint?.beganMs
  if (beganMs === undefined) return
  const entries = new Entries(client, plan)
  const some = { models: [target.model], fields: job.fields }
  let looks: readonly Strategy[] | null = null
  for (let after: Place | null = null; await mayGoOn(job);) {
    const page = await entries.page(some, after, TOGETHER, beganMs)
    if (page.length === 0) return
    after = placeOf(page.at(-1)!)
    looks ??= await job.looks()
    const good = await goodOf(job, page, looks)
    if (good.length > 0)
      await store.parts.write(part, async (tx) => {
        await entries.remove(tx, good, beganMs)
      })
  }
}

async function goodOf(
  job: ReleaseJob,
  page: readonly QuarantineEntry[],
  looks: readonly Strategy[],
): Promise<QuarantineEntry[]> {
  const isThere = await presence(job, page)
  let good = page.filter((entry) => isThere(entry) && isSeenBy(job.part.direction, entry))
  for (const look of looks) {
    if (good.length === 0) break
    const isLeft = await leftBy(job, look, good)
    good = good.filter((entry) => isLeft(entry) === false)
  }
  return [...page.filter((entry) => !isThere(entry)), ...good]
}

/** Tells of an entry whether its record is there, and holds anything. */
async function presence(
  { client, target: { table } }: ReleaseJob,
  page: readonly QuarantineEntry[],
): Promise<(entry: QuarantineEntry) => boolean> {
  // Of another length: the model had another key when they were recorded.
  const keys = keysOf(page.filter(({ key }) => key.length === table.key.length))
  const where = presentCondition([...table.sealed, ...table.indexes])
  const places = await placesWhere(client, table, keys, where)
  const there = new Set(places.map((place) => JSON.stringify(keys[place])))
  return ({ key }) => there.has(JSON.stringify(key))
}

function isSeenBy(own: string, { direction, code }: QuarantineEntry): boolean {
  return direction === own || !REFUSAL_CODES.some((one) => one === code)
}
