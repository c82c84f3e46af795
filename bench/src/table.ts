import type { Measurement } from './measure.ts'
import type { Report } from './report.ts'

/** Names of what the README shows, in its order; the rest is in `bench/RESULTS.md`. */
const SHOWN: readonly (readonly [database: string | null, name: string])[] = [
  ['postgresql', 'findUnique'],
  ['postgresql', 'findFirst by blind index'],
  ['postgresql', 'create'],
  ['postgresql', 'update'],
  ['postgresql', 'createMany 1,000'],
  ['postgresql', 'findMany 1,000, DEKs cold'],
  ['postgresql', 'findMany 1,000, DEKs warm'],
  ['postgresql', 'findMany 100 with include, 10 each'],
  ['postgresql', 'model with nothing encrypted, findUnique'],
  ['postgresql', 'findUnique, 32 requests at once'],
  ['postgresql', 'event-loop delay, p99, during findMany 10,000'],
  ['postgresql', 'drain'],
  ['postgresql', 'encrypt'],
  ['postgresql', 'a row of three, with its page'],
  [null, 'a million cached DEKs, resident'],
]

const DATABASES: Readonly<Record<string, string>> = {
  postgresql: 'PostgreSQL',
  sqlite: 'SQLite',
  mysql: 'MariaDB',
}

/** The table of the README: one for each line of Node there are results of. */
export function readmeTables(reports: readonly Report[]): string {
  return reports
    .map((report) => {
      const lines = SHOWN.flatMap(([database, name]) =>
        report.measurements.filter((line) => line.database === database && line.name === name),
      )
      return `${caption(report)}\n\n${table(lines)}`
    })
    .join('\n\n')
}

/** All that was measured, for `bench/RESULTS.md`. */
export function allTables(reports: readonly Report[]): string {
  return reports
    .map((report) => {
      const databases = [...new Set(report.measurements.map(({ database }) => database))]
      const parts = databases.map((database) => {
        const lines = report.measurements.filter((line) => line.database === database)
        const title = database === null ? 'Without a database' : (DATABASES[database] ?? database)
        return `### ${title}\n\n${table(lines)}`
      })
      return [`## Node ${major(report)}`, caption(report), ...parts].join('\n\n')
    })
    .join('\n\n')
}

const major = ({ environment }: Report): string => /\d+/.exec(environment.node)![0]

function caption({ date, mode, environment, measurements }: Report): string {
  const { node, cores, cpu, memoryGb, load, platform } = environment
  const rounds = measurements.map((line) => line.rounds)
  const aimed = measurements.filter(({ isMet }) => isMet !== null)
  const met = aimed.filter(({ isMet }) => isMet === true).length
  return [
    `${date}, Node ${node.slice(1)}, ${platform}, ${cores} cores of an ${cpu}, ${memoryGb} GB, shared with the database;`,
    `load ${load[0]} before and ${load[1]} after; ${mode === 'quick' ? 'a quick run, ' : ''}medians of ${Math.min(...rounds)} to ${Math.max(...rounds)} rounds, by line.`,
    `${met} of ${aimed.length} aims met.`,
  ].join(' ')
}

function table(lines: readonly Measurement[]): string {
  const head = '| | plain Prisma | Rowseal | | peer | Rowseal / peer | spread | aim |'
  const rule = '| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |'
  return [head, rule, ...lines.map(row)].join('\n')
}

function row(line: Measurement): string {
  const { name, unit, plain, rowseal, peer, ratioToPlain, ratioToPeer, spread, target, isMet } =
    line
  const aim = target === null ? '' : `${target}${isMet === false ? ': **missed**' : ''}`
  const cells = [
    name,
    value(plain, unit),
    value(rowseal, unit),
    factor(ratioToPlain),
    value(peer, unit),
    factor(ratioToPeer),
    spread === null ? '' : `${Math.round(spread * 100)} %`,
    aim,
  ]
  return `| ${cells.join(' | ')} |`
}

const factor = (ratio: number | null): string => (ratio === null ? '' : `${ratio.toFixed(2)} ×`)

function value(figure: number | null, unit: string): string {
  if (figure === null) return ''
  const digits =
    figure >= 100 || Number.isInteger(figure) ? 0 : figure >= 10 ? 1 : figure >= 1 ? 2 : 3
  const number = figure.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return `${number} ${unit}`
}
