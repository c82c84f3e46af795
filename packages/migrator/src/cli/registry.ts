import { InvalidArgumentError, type Command as Program } from 'commander'
import type { Command, Flags } from './command.ts'
import { integer } from './numbers.ts'
import { BATCH_BYTES, BATCH_ROWS } from './pace-flags.ts'

/** How a command is run, whatever it is. */
export type Runner = (command: Command, flags: Flags) => Promise<void>

/** Where the files of `commands/` put theirs. */
export class Registry {
  readonly #program: Program
  readonly #run: Runner

  constructor(program: Program, run: Runner) {
    this.#program = program
    this.#run = run
  }

  /** @param name - with its arguments, such as `retire <key>`. */
  add<F extends Flags>(name: string, description: string, command: Command<F>): Program {
    return this.#program
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration (default: rowseal.config.ts in this folder)')
      .option('--json', 'print one JSON document on stdout')
      .action(async (...all: unknown[]) => {
        const program = all.at(-1) as Program
        const flags = { ...program.opts<F>(), args: program.args }
        await this.#run(command as unknown as Command, flags)
      })
  }

  /** Commands of two words, such as `keys list`. */
  group(name: string, description: string): Registry {
    return new Registry(this.#program.command(name).description(description), this.#run)
  }
}

/** `2/4`: the second of four. */
function shard(text: string): { index: number; of: number } {
  const [, index = '', of = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []
  if (Number(index) >= 1 && Number(index) <= Number(of))
    return { index: Number(index), of: Number(of) }
  throw new InvalidArgumentError('It must be such as 1/4, up to 4/4.')
}

export function names(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',')]
}

export const MODELS = ['--model <names>', 'only these models, separated by commas', names] as const

export function batches(command: Program): Program {
  return command
    .option(...MODELS)
    .option(...BATCH_ROWS)
    .option(...BATCH_BYTES)
}

export const SHARD = ['--shard <i/n>', 'only the i-th of n shares of each table', shard] as const

export const THREADS = [
  '--threads <n>',
  'threads for cryptography beside the main one (default: 2; 0 with one core)',
  integer,
] as const

/** To work on a run here in part, or to hand all of it out. */
export function shares(command: Program): Program {
  return command
    .option(...SHARD)
    .option('--queue', 'hand it out to `rowseal worker`, and follow it until all is done')
    .option(
      '--part-rows <n>',
      'with --queue: rows of what is handed out (default: 20,000)',
      integer,
    )
}
