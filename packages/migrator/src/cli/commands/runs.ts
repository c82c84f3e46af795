import { listRuns } from '../../runs/list.ts'
import {
  cancelRuns,
  paceRuns,
  pauseRuns,
  resumeRuns,
  type OperatedRun,
} from '../../runs/operate.ts'
import { given } from '../../given.ts'
import type { Command, Flags, Result } from '../command.ts'
import { paceChangeOf, paceFlags, type PaceFlags } from '../pace-flags.ts'
import { integer } from '../numbers.ts'
import type { Registry } from '../registry.ts'
import { renderOperated, renderPaced, renderRuns } from '../render-runs.ts'
import { addQuarantine } from './quarantine.ts'

const MODELS = ['[models...]', 'only the runs over these (default: all that go on)'] as const

/** What an operator does to runs from another terminal. */
export function addRuns(registry: Registry): void {
  const runs = registry.group('runs', 'look at runs, and hold or end them from another terminal')
  runs.add('list', 'the last run over each model', runList)
  runs
    .add('pause', 'hold runs after the batch in hand', runPause)
    .argument(...MODELS)
    .option('--reason <text>', 'shown to whoever looks')
  paceFlags(runs.add('pace', 'let runs go at another pace from the next batch on', runPace))
    .argument(...MODELS)
    .option('--batch-rows <n>', 'rows per batch at most', integer)
    .option('--batch-bytes <n>', 'bytes of values per batch at most', integer)
  runs.add('resume', 'let paused runs go on', operate(resumeRuns)).argument(...MODELS)
  addQuarantine(runs)
  runs
    .add('cancel', 'end runs after the batch in hand; what they wrote stays', operate(cancelRuns))
    .argument(...MODELS)
}

const runList: Command = async (config) => {
  const runs = await listRuns(config)
  return { document: { runs }, text: renderRuns(runs), exitCode: 0 }
}

const runPause: Command<Flags & { readonly reason?: string }> = async (config, flags) => {
  const { reason } = given({ reason: flags.reason })
  return resultOf(await pauseRuns(config, modelsOf(flags), reason))
}

const runPace: Command<PaceFlags> = async (config, flags) => {
  const change = paceChangeOf(flags)
  if (Object.keys(change).length === 0)
    throw new TypeError('Say what to change, such as --max-rows-per-second 500, or off for none.')
  const runs = await paceRuns(config, modelsOf(flags), change)
  return resultOf(runs, renderPaced(runs, change))
}

function operate(change: typeof resumeRuns): Command {
  return async (config, flags) => resultOf(await change(config, modelsOf(flags)))
}

function modelsOf({ args }: Flags): readonly string[] | undefined {
  return args.length === 0 ? undefined : args
}

function resultOf(runs: readonly OperatedRun[], text = renderOperated(runs)): Result {
  const exitCode = runs.every(({ isChanged }) => isChanged) ? 0 : 1
  return { document: { runs }, text, exitCode }
}
