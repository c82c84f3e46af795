import { fenceStatements, unfenceStatements } from '../../fence/statements.ts'
import { dropIndexStatements, indexStatements } from '../../staleness/statements.ts'
import { given } from '../../given.ts'
import { keyIdOf, type Command, type Flags } from '../command.ts'
import { MODELS, type Registry } from '../registry.ts'
import { renderFence, renderUnfence } from '../render-fence.ts'
import { renderDropIndexes, renderIndexStatements } from '../render-staleness.ts'

export function addDdl(registry: Registry): void {
  const group = registry.group('ddl', 'print SQL for the database, and run nothing')
  group
    .add('index', 'make indexes by which stale values are found and counted', runIndex)
    .option(...MODELS)
    .option('--drop', 'take the indexes down again')
  group
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

interface IndexFlags extends Flags {
  readonly model?: readonly string[]
  readonly drop?: boolean
}

const runIndex: Command<IndexFlags> = async (config, { model, drop }) => {
  const isDrop = drop === true
  const options = given({ models: model })
  const statements = await (isDrop ? dropIndexStatements : indexStatements)(config, options)
  const sql = isDrop ? renderDropIndexes(statements) : renderIndexStatements(statements)
  return { document: statements, text: '', sql, exitCode: 0 }
}
