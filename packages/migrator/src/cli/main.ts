import { readFileSync } from 'node:fs'
import { Command as Program, CommanderError } from 'commander'
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
import { loadConfig } from './load-config.ts'
import { errorDocument, print, say } from './output.ts'
import { Registry } from './registry.ts'
import { Interruption } from './signals.ts'

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
  addRuns,
  addKeys,
  addDdl,
]

async function run(command: Command, flags: Flags): Promise<number> {
  const interruption = new Interruption()
  // What a configuration prints is not part of the document.
  if (flags.json === true) console.log = console.info = console.debug = console.error
  const config = await loadConfig(flags.config)
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

async function report(error: unknown, isJson: boolean): Promise<number> {
  if (isJson) await print(JSON.stringify(errorDocument(error), null, 2))
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  say(`${typeof code === 'string' ? `${code}: ` : ''}${String(message ?? error)}`)
  return error instanceof TypeError || code === 'ERR_CONFIG_INVALID' ? MISUSE : FAILED
}

function programOf(finish: (code: number) => void): Program {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  const program = new Program('rowseal').version(version).exitOverride()
  program.description('Keeps sealed fields of a Prisma schema on a fresh key.')
  const registry = new Registry(program, async (command, flags) => {
    const isJson = flags.json === true
    finish(await run(command, flags).catch((error: unknown) => report(error, isJson)))
  })
  for (const add of TOPICS) add(registry)
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
