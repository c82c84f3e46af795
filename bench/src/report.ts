import { readFileSync } from 'node:fs'
import { cpus, loadavg, platform, arch, totalmem } from 'node:os'
import type { Measurement } from './measure.ts'
import { SEED } from './random.ts'

/** What the figures were had on. No names of machines. */
export interface Environment {
  readonly node: string
  readonly platform: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  /** Processes that wanted a core, over the last minute: before and after. */
  readonly load: readonly [number, number]
  readonly versions: Readonly<Record<string, string>>
}

/** What a run prints, and what is kept in `results/`. */
export interface Report {
  readonly date: string
  readonly mode: 'quick' | 'full'
  readonly seed: number
  readonly seconds: number
  readonly environment: Environment
  readonly measurements: readonly Measurement[]
}

const PACKAGES = [
  '@prisma/client',
  '@prisma/adapter-pg',
  '@prisma/adapter-libsql',
  'prisma-field-encryption',
] as const

/** @param began - load and `performance.now()` when the run began. */
export function report(
  mode: Report['mode'],
  measurements: readonly Measurement[],
  began: { readonly load: number; readonly at: number },
): Report {
  return {
    date: new Date().toISOString().slice(0, 10),
    mode,
    seed: SEED,
    seconds: Math.round((performance.now() - began.at) / 1000),
    environment: environment(began.load),
    measurements,
  }
}

/** A run, with the lines of another one of the same day that measured parts of it anew. */
export function withLinesOf(run: Report, anew: Report): Report {
  const nameOf = ({ database, name }: Measurement): string => `${database ?? ''} ${name}`
  const lines = new Map(anew.measurements.map((line) => [nameOf(line), line]))
  const measurements = run.measurements.map((line) => {
    const replaced = lines.get(nameOf(line)) ?? line
    lines.delete(nameOf(line))
    return replaced
  })
  return {
    ...run,
    seconds: run.seconds + anew.seconds,
    measurements: [...measurements, ...lines.values()],
  }
}

function environment(loadBefore: number): Environment {
  return {
    node: process.version,
    platform: `${platform()} ${arch()}`,
    cpu: (cpus()[0]?.model ?? 'unknown').trim(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    load: [tenths(loadBefore), tenths(loadavg()[0]!)],
    versions: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  }
}

function versionOf(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

const tenths = (value: number): number => Math.round(value * 10) / 10

/** For people. */
export function printed({ environment, measurements, mode, seconds }: Report): string {
  const { node, cpu, cores, load } = environment
  const lines = measurements.map((line) =>
    [
      (line.database ?? '').padEnd(10),
      line.name.padEnd(56),
      line.unit.padEnd(7),
      ...[line.plain, line.empty, line.floor, line.rowseal, line.peer, line.crypto].map(cell),
      cell(line.ratioToPlain),
      cell(line.ratioToPeer),
      cell(line.spread),
      line.target === null ? '' : `  ${line.isMet === false ? 'MISSED' : 'ok'}  ${line.target}`,
    ].join(' '),
  )
  const head = `Node ${node}, ${cores} × ${cpu}, load ${load.join(' to ')}, ${mode}, ${seconds} s`
  const titles = [
    'plain',
    'empty',
    'floor',
    'rowseal',
    'peer',
    'crypto',
    '× plain',
    '× peer',
    'spread',
  ]
  const top = `${''.padEnd(75)} ${titles.map((title) => title.padStart(9)).join(' ')}`
  return [head, top, ...lines].join('\n')
}

function cell(value: number | null): string {
  if (value === null) return ''.padStart(9)
  const digits = value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3
  return value.toFixed(digits).padStart(9)
}
