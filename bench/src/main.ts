import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { Measurement } from './measure.ts'
import { PARTS, type PartName } from './parts/index.ts'
import { printed, report, withLinesOf, type Report } from './report.ts'
import { servers } from './servers.ts'

// npm run bench -- [--quick] [--json] [--only operations,walks] [--rounds N] [--rows N] [--save]
const { values: options } = parseArgs({
  options: {
    /** Under a minute, and less sure. */
    quick: { type: 'boolean', default: false },
    /** One JSON document on stdout, and nothing else there. */
    json: { type: 'boolean', default: false },
    /** Parts by name, see `parts/index.ts`. */
    only: { type: 'string' },
    rounds: { type: 'string' },
    /** Of the tables that the migrator rewrites. */
    rows: { type: 'string' },
    /** Keep the figures in `results/`, from where `npm run bench:readme` takes them. Of parts, beside the day's others. */
    save: { type: 'boolean', default: false },
  },
})

const began = { load: loadavg()[0]!, at: performance.now() }
const isQuick = options.quick
/** A quick run takes less than a minute on a slow machine too: after so long it makes do with fewer rounds. */
const QUICK_MS = 20_000
const effort = {
  isQuick,
  isLate: (): boolean => isQuick && performance.now() > QUICK_MS,
  rounds: Number(options.rounds ?? (isQuick ? 5 : 21)),
  rows: Number(options.rows ?? 50_000),
}
const names = (options.only?.split(',') ?? Object.keys(PARTS)) as PartName[]
const unknown = names.filter((name) => !(name in PARTS))
if (unknown.length > 0) throw new TypeError(`No such part: ${unknown.join(', ')}.`)

const stop = await servers()
const measurements: Measurement[] = []
try {
  for (const name of names) {
    const { inQuick, run } = PARTS[name]
    if (isQuick && !inQuick && options.only === undefined) continue
    process.stderr.write(`${name} … `)
    const start = performance.now()
    measurements.push(...(await run(effort)))
    process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`)
  }
} finally {
  await stop()
}
const done = report(isQuick ? 'quick' : 'full', measurements, began)
const textOf = (one: Report): string => `${JSON.stringify(one, null, 2)}\n`
if (options.save) {
  const name = `${done.date}-node${process.versions.node.split('.')[0]}.json`
  const file = new URL(`../results/${name}`, import.meta.url)
  const isPart = options.only !== undefined && existsSync(file)
  const kept = isPart ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : null
  writeFileSync(file, textOf(kept === null ? done : withLinesOf(kept, done)))
}
process.stdout.write(options.json ? textOf(done) : `${printed(done)}\n`, () => process.exit(0))
