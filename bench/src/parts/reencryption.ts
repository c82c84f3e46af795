import { rowseal } from '@rowseal/prisma-extension'
import { rotate } from '@rowseal/prisma-extension/keys'
import { collectYoung, measurement, type Measurement, type Times } from '../measure.ts'
import type { Subjects } from '../subjects.ts'
import { fill, withoutDeks } from '../fill.ts'
import type { Effort } from './operations.ts'

const ROWS = 1_000
const ARGS = { take: ROWS, orderBy: { id: 'asc' } }

/** What a read of stale rows costs beside a read of fresh ones, and how fast the queue rewrites them. */
export async function reencryption(subjects: Subjects, effort: Effort): Promise<Measurement[]> {
  const { base, plan, keyring, provider } = subjects
  await fill(subjects, ROWS)
  /** Reads without noting what is stale. */
  const idle: any = base.$extends(rowseal({ plan, keyring, reencryption: false }))
  const times = { plain: [], fresh: [], stale: [], added: [], queue: [] } as Record<
    string,
    number[]
  >
  for (let round = -2; round < effort.rounds; round++) {
    const ms = await oneRound(subjects, idle)
    for (const [name, value] of Object.entries(ms)) if (round >= 0) times[name]!.push(value)
  }
  const line = (name: string, unit: string, of: Times): Measurement =>
    measurement({ name, unit, database: provider }, of)
  const { plain, fresh, stale, added, queue } = times
  return [
    line('findMany 1,000, fresh, DEKs cold', 'ms', { plain: plain!, rowseal: fresh! }),
    line('findMany 1,000, all stale, DEKs cold', 'ms', { plain: plain!, rowseal: stale! }),
    line('added to a read by 1,000 stale rows', 'ms', { rowseal: added! }),
    line('re-encryption queue, 3 fields', 'rows/s', { rowseal: queue! }),
  ]
}

async function oneRound(subjects: Subjects, idle: any): Promise<Record<string, number>> {
  const { plain, rowseal: prisma, keyring } = subjects
  const read = async (db: any): Promise<number> => {
    collectYoung()
    return timed(() => db.person.findMany(ARGS))
  }
  const plainMs = await read(plain)
  await withoutDeks(keyring)
  const fresh = await read(prisma)
  await rotate(keyring)
  await withoutDeks(keyring)
  // The former KEK, too.
  await idle.person.findFirst()
  const { done: before } = prisma.$rowseal.stats().reencryption
  const stale = await read(prisma)
  const flushed = await timed(async () => {
    if (!(await prisma.$rowseal.flush({ timeoutMs: 60_000 }))) throw new Error('Not flushed.')
  })
  const rewritten = prisma.$rowseal.stats().reencryption.done - before
  if (rewritten !== ROWS) throw new Error(`${rewritten} of ${ROWS} rows were re-encrypted.`)
  const queue = (ROWS * 1000) / flushed
  return { plain: plainMs, fresh, stale, added: stale - fresh, queue }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
