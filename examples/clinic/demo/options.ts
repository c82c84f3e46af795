import { parseArgs } from 'node:util'

/** The checks, in their order. Each can be spoilt on purpose, to see that the demo notices. */
export const BREAKABLE = [
  'fresh',
  'status',
  'verify',
  'values',
  'updatedAt',
  'database files',
  'logs',
  'output',
] as const
export type Breakable = (typeof BREAKABLE)[number]

export interface Options {
  readonly db: 'sqlite' | 'postgres'
  readonly patients: number
  readonly json: boolean
  readonly keep: boolean
  readonly breaks: readonly Breakable[]
}

const HELP = `Seals, reads, rotates and drains the data of a made-up clinic, and checks the result.

  npm run demo -- [options]

  --db sqlite|postgres   where the data lies (default: sqlite)
  --patients N           how many patients, from 20 (default: 20000)
  --json                 one JSON document on stdout, the rest on stderr;
                         use \`npm run --silent demo -- --json\`, or npm prints too
  --keep                 leave the database, the logs and the key for you to look at
  --break CHECK          spoil one thing on purpose, once or more; the demo must
                         notice and fail.
                         ${BREAKABLE.slice(0, 5).join(', ')},
                         ${BREAKABLE.slice(5).join(', ')}
  --help
`

/** @returns the options, or a text to print and the exit code to end with. */
export function readOptions(args: string[]): Options | { text: string; exitCode: number } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        db: { type: 'string', default: 'sqlite' },
        patients: { type: 'string', default: '20000' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        break: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return { text: HELP, exitCode: 0 }
    return {
      db: oneOf('--db', ['sqlite', 'postgres'] as const, values.db),
      patients: patientsOf(values.patients),
      json: values.json,
      keep: values.keep,
      breaks: values.break.map((name) => oneOf('--break', BREAKABLE, name)),
    }
  } catch (error) {
    return { text: `${(error as Error).message}\n\n${HELP}`, exitCode: 2 }
  }
}

function oneOf<T extends string>(name: string, choices: readonly T[], given: string): T {
  const choice = choices.find((one) => one === given)
  if (choice === undefined) throw new Error(`${name} takes ${choices.join(', ')}; not "${given}".`)
  return choice
}

function patientsOf(given: string): number {
  const patients = Number(given)
  if (Number.isInteger(patients) && patients >= 20 && patients <= 1_000_000) return patients
  throw new Error(`--patients takes a whole number from 20 to 1000000; not "${given}".`)
}
