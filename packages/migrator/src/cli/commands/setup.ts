import { init, initStatements } from '../../init.ts'
import type { Command, Flags } from '../command.ts'
import { print } from '../output.ts'
import type { Registry } from '../registry.ts'
import { renderInit } from '../render.ts'

export function addSetup(registry: Registry): void {
  registry
    .add('init', 'create key store, run tables and the first key version', runInit)
    .option('--print', 'print the SQL that creates the tables, and run nothing')
}

const runInit: Command<Flags & { readonly print?: boolean }> = async (config, flags) => {
  if (flags.print === true) {
    const statements = initStatements(config).map((statement) => `${statement};\n`)
    await print(statements.join('\n'))
    return null
  }
  const report = await init(config)
  return { document: report, text: renderInit(report), exitCode: 0 }
}
