import { fenceStatements, unfenceStatements } from '../../fence/statements.ts'
import { keyIdOf, type Command, type Flags } from '../command.ts'
import type { Registry } from '../registry.ts'
import { renderFence, renderUnfence } from '../render-fence.ts'

export function addDdl(registry: Registry): void {
  registry
    .group('ddl', 'print SQL for the database, and run nothing')
    .add('fence', 'make the database refuse every value under a key', runFence)
    .argument('<key>', 'key id, as `rowseal status` shows it')
    .option('--drop', 'take the fences down again')
}

const runFence: Command<Flags & { readonly drop?: boolean }> = async (config, { args, drop }) => {
  const keyId = keyIdOf(args[0])
  const isDrop = drop === true
  const statements = await (isDrop ? unfenceStatements : fenceStatements)(config, keyId)
  const sql = isDrop ? renderUnfence(statements) : renderFence(statements)
  return { document: statements, text: '', sql, exitCode: 0 }
}
