import { open } from 'node:fs/promises'
import { Option, type Command as Program } from 'commander'
import { exportQuarantine } from '../../quarantine/export.ts'
import { listQuarantine } from '../../quarantine/list.ts'
import type { QuarantineFilter } from '../../quarantine/entries.ts'
import { MAX_TOGETHER, retryQuarantine } from '../../quarantine/retry.ts'
import { given } from '../../given.ts'
import { exitCodeOf, type Command, type Flags } from '../command.ts'
import { print, say } from '../output.ts'
import { BATCH_BYTES, paceOf, type PaceFlags } from '../pace-flags.ts'
import { ProgressBars } from '../progress.ts'
import { integer } from '../numbers.ts'
import { MODELS, names, type Registry } from '../registry.ts'
import { renderQuarantine, renderRetried } from '../render-quarantine.ts'

interface FilterFlags extends Flags {
  readonly model?: readonly string[]
  readonly field?: readonly string[]
  readonly code?: readonly string[]
}

interface ListFlags extends FilterFlags {
  readonly limit?: number
  readonly after?: string
}

interface ExportFlags extends FilterFlags {
  readonly format?: 'jsonl' | 'csv'
  readonly out?: string
}

/** What runs have left as it is. */
export function addQuarantine(runs: Registry): void {
  const group = runs.group('quarantine', 'look at values that runs could not go on with')
  filters(group.add('list', 'where they are, why, and what to do', runList))
    .option('--limit <n>', 'entries of a page (default: 50)', integer)
    .option('--after <page>', 'the page after this one, as the list says at its end')
  filters(group.add('retry', 'try them again, and no others, by what met them', runRetry))
    .option('--batch-rows <n>', `values tried together at most (default: ${MAX_TOGETHER})`, integer)
    .option(...BATCH_BYTES)
  filters(group.add('export', 'print all of them for a program or a spreadsheet', runExport))
    .addOption(
      new Option('--format <name>', 'jsonl (the default) or csv').choices(['jsonl', 'csv']),
    )
    .option('--out <file>', 'into a file, which only its owner can read')
}

function filters(command: Program): Program {
  return command
    .option(...MODELS)
    .option('--field <names>', 'only these fields, such as Patient.email', names)
    .option('--code <codes>', 'only these codes, such as ERR_ENVELOPE_AUTH', names)
}

function filterOf({ model: models, field: fields, code: codes }: FilterFlags): QuarantineFilter {
  return given({ models, fields, codes })
}

const runList: Command<ListFlags> = async (config, flags) => {
  const { limit, after } = flags
  const page = await listQuarantine(config, { ...filterOf(flags), ...given({ limit, after }) })
  return { document: page, text: renderQuarantine(page, filterFlags(flags)), exitCode: 0 }
}

const runRetry: Command<FilterFlags & PaceFlags> = async (config, flags, interruption) => {
  const bars = new ProgressBars()
  const { signal } = interruption
  const options = { ...filterOf(flags), ...paceOf(flags), signal, onEvent: bars.onEvent }
  const report = await retryQuarantine(config, options).finally(bars.stop)
  const exitCode = exitCodeOf(report, interruption)
  return { document: report, text: renderRetried(report, filterFlags(flags)), exitCode }
}

const runExport: Command<ExportFlags> = async (config, flags) => {
  const { format, out } = flags
  const lines = exportQuarantine(config, { ...filterOf(flags), ...given({ format }) })
  const file = out === undefined ? null : await open(out, 'w', 0o600)
  // It may have been there.
  await file?.chmod(0o600)
  let count = format === 'csv' ? -1 : 0 // its first line is the header
  try {
    for await (const line of lines) {
      await (file === null ? print(line, '') : file.write(line))
      count++
    }
  } finally {
    await file?.close()
  }
  say(
    `${count} ${count === 1 ? 'entry' : 'entries'}${out === undefined ? '' : ` written to ${out}`}.`,
  )
  return null
}

/** The same filter again, for the next command. */
function filterFlags({ model, field, code }: FilterFlags): string {
  return Object.entries({ model, field, code })
    .map(([name, values]) => (values === undefined ? '' : ` --${name} ${values.join(',')}`))
    .join('')
}
