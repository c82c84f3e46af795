import { hasMariadb } from '@rowseal/test-support'
import { directionRates } from '../directions.ts'
import { measurement, type Measurement } from '../measure.ts'
import { peerMigration } from '../peer-migration.ts'
import { drainInShards } from '../shards.ts'
import { speedFigures } from '../migrator/speed.ts'
import { openWorld, type Provider } from '../migrator/world.ts'
import type { BenchOptions } from './index.ts'

/** Threads of one process, and processes without. */
const WORKERS = [1, 2, 4]
/** The peer takes a transaction for each row. */
const PEER_ROWS = 2_000

/**
 * Rows per second of every direction beside its ceiling, which is the same run without cryptography; `encrypt` beside
 * the peer's own migration too.
 */
export async function migrator(options: BenchOptions): Promise<Measurement[]> {
  const lines: Measurement[] = []
  const providers: Provider[] = [
    'postgresql',
    'sqlite',
    ...(hasMariadb() ? ['mysql' as const] : []),
  ]
  const { ROWSEAL_TEST_POSTGRES_URL: url } = process.env
  for (const provider of providers) lines.push(...(await onOne(provider, options)))
  // A world has a server of its own, which is gone by now.
  process.env['ROWSEAL_TEST_POSTGRES_URL'] = url
  return lines
}

async function onOne(provider: Provider, { rows, isQuick }: BenchOptions): Promise<Measurement[]> {
  const lines: Measurement[] = []
  const line = (name: string, rates: Record<string, number[]>, more: object = {}): void => {
    lines.push(measurement({ name, database: provider, unit: 'rows/s', ...more }, rates))
  }
  const rounds = isQuick ? 1 : 3
  const world = await openWorld(provider)
  try {
    await world.fill(rows)
    await world.analyze()
    const { drain, ceiling, verify } = await speedFigures(world, rows, rounds)
    const ratesOf = ({ rounds: all }: typeof drain): number[] => all.map((one) => one.rowsPerSecond)
    const aim = provider === 'postgresql' ? DRAIN_AIM : {}
    // `plain` is the ceiling: the same reads and updates with values made before.
    line('drain', { plain: ratesOf(ceiling), rowseal: ratesOf(drain) }, aim)
    line('verify', { rowseal: ratesOf(verify) })
    if (provider === 'postgresql') {
      for (const workers of WORKERS) {
        const [threaded, sharded] = [
          await drainInShards(world, rows, 1, workers),
          await drainInShards(world, rows, workers, 0),
        ]
        line(`drain, ${workers} ${workers === 1 ? 'thread' : 'threads'}`, { rowseal: [threaded] })
        line(`drain, ${workers} ${workers === 1 ? 'process' : 'processes'}`, { rowseal: [sharded] })
      }
    }
    const peer = await peerMigration(provider, PEER_ROWS)
    const rates = await directionRates(provider, rows, rounds)
    for (const [name, { own, ceiling: top }] of Object.entries(rates)) {
      const beside = name === 'encrypt' ? { peer: [peer] } : {}
      line(name, { plain: top, rowseal: own, ...beside })
    }
  } finally {
    await world.close()
  }
  return lines
}

const DRAIN_AIM = {
  target: '≥ 10,000 rows/s, ≥ 0.6 of the ceiling',
  isMet: ({ rowseal, ratioToPlain }: Measurement) => rowseal! >= 10_000 && ratioToPlain! >= 0.6,
}
