import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { latencyFigures } from './migrator/latency.ts'
import { longFigures } from './migrator/long.ts'
import { speedFigures } from './migrator/speed.ts'
import { statusFigures } from './migrator/status.ts'
import { openWorld, type Provider } from './migrator/world.ts'

// node --import tsx src/migrator.ts --provider postgresql --only status,speed,long,latency [--rows N] [--rounds N]
const { values: options } = parseArgs({
  options: {
    provider: { type: 'string', default: 'postgresql' },
    only: { type: 'string', default: 'status,speed' },
    rows: { type: 'string', default: '100000' },
    /** Rows per second of a drain that is throttled. */
    rate: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    /** Of a drain, for cryptography. Default: as the migrator's. */
    threads: { type: 'string' },
  },
})

const rows = Number(options.rows)
const threads = options.threads === undefined ? undefined : Number(options.threads)
const parts = options.only.split(',')
const figures: Record<string, unknown> = {}
const world = await openWorld(options.provider as Provider)
try {
  await world.fill(rows)
  await world.analyze()
  if (parts.includes('speed'))
    figures['speed'] = await speedFigures(world, rows, Number(options.rounds), threads)
  if (parts.includes('long')) figures['long'] = await longFigures(world, rows, threads)
  if (parts.includes('latency'))
    figures['latency'] = await latencyFigures(
      world,
      rows,
      Number(options.rounds),
      Number(options.rate),
    )
  if (parts.includes('status')) figures['status'] = await statusFigures(world, rows)
} finally {
  await world.close()
}
const environment = {
  node: process.version,
  cpu: cpus()[0]?.model ?? '?',
  cores: cpus().length,
  loadAtTheEnd: loadavg()[0],
}
console.log(JSON.stringify({ ...options, environment, ...figures }, null, 2))
process.exit(0)
