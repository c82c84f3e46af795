import { setTimeout as sleep } from 'node:timers/promises'
import { rowseal } from '@rowseal/prisma-extension'
import { expect } from 'vitest'
import { drain, rotate, verify } from '../../src/index.ts'
import { again } from '../accounts.ts'
import type { World } from '../world.ts'
import { Counter, nothingCounted, numberIn } from './counters.ts'
import { Journal } from './journal.ts'
import type { Table } from './notes.ts'
import { randomOf } from './random.ts'
import { readNotes } from './proof.ts'
import { Writer } from './writer.ts'

/** Rows that are written to all the time are few, and in every batch. */
export const ROWS = 60
const OWN = Array.from({ length: 9 }, (_, i) => i * 5)
const SHARED = [7, 31, 52]
const PACE = { batchRows: 20, maxTransactionMs: 100 }
/** Of so many drains one waits for everybody, so that nothing is stale after it. */
const FENCED = 8
/** How keyrings are opened: on a busy machine it takes a while to read the key store. */
export const KEYRING = { refreshMs: 500, maxAgeMs: 2500 }

/** What happened. */
export interface Hammered {
  readonly provider: string
  readonly seconds: number
  readonly keyVersions: number
  readonly drains: number
  /** Drains after which nothing was stale, while all went on writing. */
  readonly proofs: number
  readonly rowsDrained: number
  /** Rows that a drain left to whoever wrote to them. */
  readonly superseded: number
  /** Of each kind: writes that were acknowledged, and those that were refused and sent again. */
  readonly writes: number
  readonly increments: number
  readonly refused: number
  /** Writes that were undone. */
  readonly lost: number
}

/** Several write to the same few rows, while the table is drained again and again under new key versions. */
export async function hammer(table: Table, seconds: number, seed: number): Promise<Hammered> {
  const w = table.sealed
  const began = performance.now()
  for (const id of SHARED)
    await again(() => w.sealed.note.update({ where: { id }, data: { text: 'count 0' } }))
  const journal = new Journal((await readNotes(w)).filter(({ id }) => OWN.includes(id)))
  const counted = nothingCounted(SHARED)
  const { writers, counters } = await begin(w, journal, counted, seed)
  const drained = await drainUntil(w, began + seconds * 1000)
  for (const one of [...writers, ...counters]) await one.stop()
  const lost = await lostOf(w, journal, counted)
  const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0)
  return {
    provider: w.provider,
    seconds: Math.round((performance.now() - began) / 1000),
    ...drained,
    writes: journal.acknowledged,
    increments: sum(counted.acknowledged.values()),
    refused: sum(counters.map(({ refused }) => refused)),
    lost,
  }
}

async function begin(
  w: World,
  journal: Journal,
  counted: ReturnType<typeof nothingCounted>,
  seed: number,
): Promise<{ writers: Writer[]; counters: Counter[] }> {
  const random = randomOf(seed)
  const { Prisma } = await import(`${w.dir}/client/client.ts`)
  const [writers, counters]: [Writer[], Counter[]] = [[], []]
  // Of libsql's one connection a drain would get little.
  const [owners, restMs] = w.provider === 'sqlite' ? [1, 40] : [3, 3]
  for (let i = 0; i < owners; i++) {
    const client = await instance(w)
    const ids = OWN.filter((_, at) => at % owners === i)
    const mine = { client, random: randomOf(random() * 2 ** 32) }
    const write = { dbNull: Prisma.DbNull, journal, ids, searches: true, restMs, from: 1 }
    writers.push(new Writer({ ...mine, ...write }))
    const count = { ids: SHARED, lock: LOCKS[w.provider], restMs }
    counters.push(new Counter({ ...mine, ...count }, counted))
  }
  return { writers, counters }
}

const LOCKS = {
  postgresql: (id: number) => `SELECT 1 FROM "group" WHERE id = ${id} FOR UPDATE`,
  mysql: (id: number) => `SELECT 1 FROM \`group\` WHERE id = ${id} FOR UPDATE`,
  sqlite: null,
} as const

/** With keys of its own, and lazy re-encryption. On SQLite one process writes, through one client. */
async function instance(w: World): Promise<any> {
  if (w.provider === 'sqlite') return w.sealed
  const { client, plan, keyring } = await w.another()
  return (client as any).$extends(rowseal({ plan, keyring: keyring as any }))
}

async function drainUntil(
  { config, plain, keyring, provider }: World,
  over: number,
): Promise<Pick<Hammered, 'keyVersions' | 'drains' | 'proofs' | 'rowsDrained' | 'superseded'>> {
  const done = { keyVersions: 0, drains: 0, proofs: 0, rowsDrained: 0, superseded: 0 }
  while (performance.now() < over || done.proofs === 0) {
    const now = provider === 'sqlite' || done.drains % FENCED !== 1
    const hasFollowed = provider === 'sqlite' || !now
    try {
      await rotate(config, { now })
      done.keyVersions++
      const report = await drain(config, { ...PACE, now })
      done.drains++
      done.rowsDrained += report.rows
      done.superseded += report.superseded
      if (hasFollowed && report.outcome === 'done') {
        const active = keyring.activeKeyId!.toString(16).padStart(8, '0')
        const rows = await plain.note.findMany({ select: { text: true } })
        for (const { text } of rows) expect(text.slice(0, 13)).toBe(`rs1.${active}.`)
        done.proofs++
      }
    } catch (error) {
      if ((error as { retryable?: boolean }).retryable !== true) throw error
    }
    await sleep(200)
  }
  return done
}

/** @returns the number of writes of which nothing is left, and that nobody wrote over. */
async function lostOf(
  w: World,
  journal: Journal,
  { acknowledged, unknown }: ReturnType<typeof nothingCounted>,
): Promise<number> {
  const rows = new Map((await readNotes(w)).map((note) => [note.id, note]))
  for (const id of OWN) journal.note({ at: 'read', id, note: rows.get(id) ?? null })
  let lost = 0
  for (const id of SHARED) {
    const [count, least] = [numberIn(rows.get(id)!.text), acknowledged.get(id)!]
    lost += Math.max(0, least - count)
    expect(count).toBeLessThanOrEqual(least + unknown.get(id)!)
  }
  expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })
  return lost
}
