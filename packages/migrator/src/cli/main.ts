import { Command as Program, CommanderError } from 'commander'
import type { MigratorConfig } from '../config.ts'
import { begin } from './begin.ts'
import type { Command, Flags } from './command.ts'
import { addConvert } from './commands/convert.ts'
import { addDdl } from './commands/ddl.ts'
import { addDrain } from './commands/drain.ts'
import { addKeys } from './commands/keys.ts'
import { addLook } from './commands/look.ts'
import { addReindex } from './commands/reindex.ts'
import { addRotate } from './commands/rotate.ts'
import { addRuns } from './commands/runs.ts'
import { addSetup } from './commands/setup.ts'
import { addWorker } from './commands/worker.ts'
import { goOnWith, mayGoOn } from './go-on.ts'
import { errorDocument, print, say } from './output.ts'
import { Registry } from './registry.ts'
import { Interruption } from './signals.ts'
import { version } from './version.ts'

const FAILED = 1
const MISUSE = 2

/** In the order in which `--help` shows them. */
const TOPICS = [
  addSetup,
  addLook,
  addRotate,
  addConvert,
  addDrain,
  addReindex,
  addWorker,
  addRuns,
  addKeys,
  addDdl,
]

/** Where a command gets its configuration from. */
export type Load = (flags: Flags) => Promise<MigratorConfig>

async function run(
  command: Command,
  flags: Flags,
  load: Load,
  args: readonly string[],
): Promise<number> {
  const interruption = new Interruption()
  try {
    const exitCode = await runOn(await load(flags), command, flags, interruption)
    if (exitCode === interruption.exitCode) say(`To go on: ${goOnWith(args)}`)
    return exitCode
  } finally {
    interruption.release()
  }
}

async function runOn(
  config: MigratorConfig,
  command: Command,
  flags: Flags,
  interruption: Interruption,
): Promise<number> {
  try {
    const result = await command(config, flags, interruption)
    if (result === null) return 0
    if (flags.json === true) await print(JSON.stringify(result.document, null, 2))
    else if (result.sql !== undefined) await print(result.sql)
    else say(result.text)
    return result.exitCode
  } finally {
    const { client } = config as { client?: { $disconnect?: () => Promise<void> } }
    await client?.$disconnect?.().catch(() => undefined)
  }
}

async function report(error: unknown, isJson: boolean, args: readonly string[]): Promise<number> {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  if (code === 'EPIPE') {
    say('EPIPE: whoever was to read the output has closed it. What was committed stays.')
    return FAILED
  }
  if (isJson) await print(JSON.stringify(errorDocument(error), null, 2)).catch(() => undefined)
  say(`${typeof code === 'string' ? `${code}: ` : ''}${String(message ?? error)}`)
  if (mayGoOn(error, args)) say(`To go on then: ${goOnWith(args)}`)
  return error instanceof TypeError || code === 'ERR_CONFIG_INVALID' ? MISUSE : FAILED
}

function programOf(finish: (code: number) => void, load: Load, args: readonly string[]): Program {
  const program = new Program('rowseal').version(version()).exitOverride()
  program.description('Keeps sealed fields of a Prisma schema on a fresh key.')
  const registry = new Registry(program, async (command, flags) => {
    const isJson = flags.json === true
    finish(
      await run(command, flags, load, args).catch((error: unknown) => report(error, isJson, args)),
    )
  })
  for (const add of TOPICS) add(registry)
  return program
}

/**
 * What the command line does.
 *
 * @param args - without the names of Node and of the command.
 * @returns the exit code.
 */
export async function main(args: readonly string[], load: Load = begin): Promise<number> {
  let exitCode = 0
  const program = programOf((code) => (exitCode = code), load, args)
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    // Commander has told people already.
    if (args.includes('--json'))
      await print(JSON.stringify(errorDocument(new TypeError(error.message)), null, 2))
    return MISUSE
  }
  return exitCode
}
