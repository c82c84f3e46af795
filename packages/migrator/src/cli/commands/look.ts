import { inspect } from '../../inspect.ts'
import { status } from '../../status.ts'
import { verify } from '../../verify/verify.ts'
import { given } from '../../given.ts'
import { exitCodeOf, optionsOf, type Command, type RunFlags } from '../command.ts'
import { ProgressBars } from '../progress.ts'
import { paceFlags } from '../pace-flags.ts'
import { integer } from '../numbers.ts'
import { batches, MODELS, SHARD, type Registry } from '../registry.ts'
import { renderInspection, renderStatus, renderVerify } from '../render.ts'

/** What looks, and changes nothing. */
export function addLook(registry: Registry): void {
  registry
    .add('status', 'count values per field and key version, and say what is due', runStatus)
    .option(...MODELS)
    .option('--cryptoperiod <days>', 'how long a version may seal (default: 365)', integer)
  paceFlags(batches(registry.add('verify', 'open every sealed value', runVerify)))
    .option(...SHARD)
    .option('--restart', 'begin anew, whatever an earlier verify has left')
  registry
    .add('inspect', 'show key and lengths of a stored value, never its content', runInspect)
    .argument('<value>', 'text of the column, or bytes in hex')
}

interface StatusFlags extends RunFlags {
  /** Days. */
  readonly cryptoperiod?: number
}

const runStatus: Command<StatusFlags> = async (config, { model, cryptoperiod }) => {
  const report = await status(config, model, given({ cryptoperiodDays: cryptoperiod }))
  return { document: report, text: renderStatus(report), exitCode: 0 }
}

const runVerify: Command<RunFlags> = async (config, flags, interruption) => {
  const bars = new ProgressBars()
  const options = { ...optionsOf(flags, interruption), onEvent: bars.onEvent }
  const report = await verify(config, options).finally(bars.stop)
  const exitCode = exitCodeOf(report, interruption)
  return { document: report, text: renderVerify(report), exitCode }
}

const runInspect: Command = async (config, { args }) => {
  const report = await inspect(config, args[0] ?? '')
  return { document: report, text: renderInspection(report), exitCode: 0 }
}
