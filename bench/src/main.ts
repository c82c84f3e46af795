import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { drain } from './drain.ts'
import type { Figure } from './measure.ts'
import { operations } from './operations.ts'
import { openBench } from './setup.ts'
import { walks } from './walk.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    rows: { type: 'string' },
  },
})

const isAsked = (part: string): boolean => (options.only ?? part) === part
const figures: Figure[] = []
if (isAsked('walks')) figures.push(...(await walks()))
if (options.only !== 'walks') {
  const bench = await openBench()
  try {
    if (isAsked('operations')) figures.push(...(await operations(bench, options.quick)))
    if (isAsked('drain')) {
      const rows = Number(options.rows ?? (options.quick ? 20_000 : 100_000))
      figures.push(...(await drain(bench, rows)))
    }
  } finally {
    await bench.close()
  }
}

const environment = { node: process.version, cpu: cpus()[0]?.model ?? '?', cores: cpus().length }
if (options.json) console.log(JSON.stringify({ environment, figures }))
else {
  console.log(`Node ${environment.node}, ${environment.cores} × ${environment.cpu}\n`)
  for (const { name, unit, plain, rowseal, ratio, spread, target } of figures) {
    const cells = [
      name.padEnd(34),
      plain === undefined ? ''.padStart(11) : `${plain.toFixed(3)} ${unit}`.padStart(11),
      `${rowseal.toFixed(unit === 'ms' ? 3 : unit === 'µs' ? 2 : 0)} ${unit}`.padStart(16),
      ratio === undefined ? ''.padStart(8) : `${ratio.toFixed(2)} x`.padStart(8),
      spread === undefined ? ''.padStart(7) : `±${(spread * 50).toFixed(0)} %`.padStart(7),
      target === undefined ? '' : `  target ${target}`,
    ]
    console.log(cells.join(' '))
  }
}
process.exit(0)
