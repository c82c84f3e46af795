import { init, initStatements, type InitOptions } from '../../init.ts'
import { given } from '../../given.ts'
import type { Command, Flags } from '../command.ts'
import type { Registry } from '../registry.ts'
import { renderInit } from '../render.ts'

export function addSetup(registry: Registry): void {
  registry
    .add('init', 'create key store, run tables and the first key version', runInit)
    .option('--print', 'print the SQL that creates the tables, and run nothing')
    .option('--keyring <name>', 'with openKeyrings: one to create, such as tenant/acme')
    .option('--accept-unreadable', 'although the database holds values that no key here opens')
}

interface InitFlags extends Flags, InitOptions {
  readonly print?: boolean
}

const runInit: Command<InitFlags> = async (config, flags) => {
  if (flags.print === true) {
    const statements = initStatements(config)
    const sql = statements.map((statement) => `${statement};\n`).join('\n')
    return { document: { statements }, text: '', sql, exitCode: 0 }
  }
  const { acceptUnreadable, keyring } = flags
  const report = await init(config, given({ acceptUnreadable, keyring }))
  return { document: report, text: renderInit(report), exitCode: 0 }
}
