import { readFileSync } from 'node:fs'
import { Command as Program, CommanderError, InvalidArgumentError } from 'commander'
import { COMMANDS, type Command, type Flags } from './commands.ts'
import { loadConfig } from './load-config.ts'
import { errorDocument, print, say } from './output.ts'
import { Interruption } from './signals.ts'

// Exit codes: 0 done, 1 failed, 2 misuse, 3 done but something is quarantined or still stale,
// 130 and 143 stopped by Ctrl-C and SIGTERM.

interface Options extends Flags {
  readonly config?: string
  readonly json?: boolean
}

const FAILED = 1
const MISUSE = 2

async function run(command: Command, options: Options): Promise<number> {
  const interruption = new Interruption()
  // What a configuration prints is not part of the document.
  if (options.json === true) console.log = console.info = console.debug = console.error
  const config = await loadConfig(options.config)
  try {
    const result = await command(config, options, interruption)
    if (result === null) return 0
    if (options.json === true) await print(JSON.stringify(result.document, null, 2))
    else if (result.sql !== undefined) await print(result.sql)
    else say(result.text)
    return result.exitCode
  } finally {
    const { client } = config as { client?: { $disconnect?: () => Promise<void> } }
    await client?.$disconnect?.().catch(() => undefined)
  }
}

async function report(error: unknown, isJson: boolean): Promise<number> {
  if (isJson) await print(JSON.stringify(errorDocument(error), null, 2))
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  say(`${typeof code === 'string' ? `${code}: ` : ''}${String(message ?? error)}`)
  return error instanceof TypeError || code === 'ERR_CONFIG_INVALID' ? MISUSE : FAILED
}

function integer(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}

function list(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',')]
}

function programOf(finish: (code: number) => void): Program {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  const program = new Program('rowseal').version(version).exitOverride()
  program.description('Keeps sealed fields of a Prisma schema on a fresh key.')
  const add = (name: keyof typeof COMMANDS, description: string, to = program): Program =>
    to
      .command(name.split(' ').at(-1)!)
      .description(description)
      .option('--config <file>', 'configuration (default: rowseal.config.ts in this folder)')
      .option('--json', 'print one JSON document on stdout')
      .action(async (...args: unknown[]) => {
        const command = args.at(-1) as Program
        const [value] = command.args
        const options: Options = {
          ...command.opts<Options>(),
          ...(value === undefined ? {} : { value }),
        }
        finish(
          await run(COMMANDS[name], options).catch((error: unknown) =>
            report(error, options.json === true),
          ),
        )
      })
  const models = ['--model <names>', 'only these models, separated by commas', list] as const
  const batches = (command: Program): Program =>
    command
      .option(...models)
      .option('--batch-rows <n>', 'rows per batch (default: 500)', integer)
      .option('--batch-bytes <n>', 'bytes of values per batch (default: 4 MiB)', integer)
  add('init', 'create key store, run tables and the first key version').option(
    '--print',
    'print the SQL that creates the tables, and run nothing',
  )
  add('status', 'count values per field and key version').option(...models)
  add('rotate', 'make a new key version active')
    .option('--keyring <name>', 'which one, if there are several')
    .option('--index', 'the key of blind indexes, once every instance has read it')
    .option('--now', 'with --index: do not wait until every instance has read it')
  batches(add('drain', 're-encrypt what is still under older key versions'))
    .option('--max-passes <n>', 'passes over a table at most (default: 10)', integer)
    .option('--dry-run', 'count what would be rewritten, and write nothing')
  batches(add('reindex', 'fill blind indexes, and bring them to the active index key'))
    .option('--max-passes <n>', 'passes over a table at most (default: 10)', integer)
    .option('--dry-run', 'count what would be gone over, and write nothing')
    .option('--check-values', 'compute every value anew and compare')
    .option('--offline', 'rotate unique indexes without a second column, refusing writes meanwhile')
    .option('--now', 'do not wait until every instance follows')
    .option('--max-transaction <s>', 'seconds a transaction may take (default: 5)', integer)
  batches(add('verify', 'open every sealed value'))
  add('inspect', 'show key and lengths of a stored value, never its content').argument(
    '<value>',
    'text of the column, or bytes in hex',
  )
  const ddl = program.command('ddl').description('print SQL for the database, and run nothing')
  add('ddl fence', 'make the database refuse every value under a key', ddl)
    .argument('<key>', 'key id, as `rowseal status` shows it')
    .option('--drop', 'take the fences down again')
  return program
}

async function main(): Promise<number> {
  let exitCode = 0
  const program = programOf((code) => (exitCode = code))
  try {
    await program.parseAsync()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : MISUSE
  }
  return exitCode
}

// Clients of the configuration that we do not know may hold connections open.
process.exit(await main())
