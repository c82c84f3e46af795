import type { MigratorConfig } from '../../config.ts'
import { rotateRoot } from '../../keys/rotate-root.ts'
import { rotate, rotateIndex, type RotateOptions } from '../../rotate.ts'
import { given } from '../../given.ts'
import { exitCodeOf, refuseBeside, type Command, type Flags, type Result } from '../command.ts'
import { ProgressBars } from '../progress.ts'
import { integer } from '../numbers.ts'
import type { Registry } from '../registry.ts'
import { renderRotateRoot } from '../render-keys.ts'
import { renderRotate } from '../render-rotate.ts'
import type { Interruption } from '../signals.ts'

interface RotateFlags extends Flags {
  readonly keyring?: string
  readonly index?: boolean
  readonly root?: boolean
  /** Days. */
  readonly automatic?: number
  readonly now?: boolean
  readonly ifDue?: boolean
  /** Days. */
  readonly cryptoperiod?: number
}

export function addRotate(registry: Registry): void {
  registry
    .add('rotate', 'make a new key version active, once every instance has read it', runRotate)
    .option('--keyring <name>', 'which one, if there are several')
    .option('--index', 'the key of blind indexes')
    .option('--root', 'have the provider rotate the root key, once')
    .option('--automatic <days>', 'with --root: every so many days from now on', integer)
    .option('--now', 'do not wait until every instance has read it')
    .option('--if-due', 'only if it is due: for schedulers')
    .option('--cryptoperiod <days>', 'how long a version may seal (default: 365)', integer)
}

const runRotate: Command<RotateFlags> = async (config, flags, interruption) => {
  const { keyring, now, ifDue, cryptoperiod: cryptoperiodDays } = flags
  assertMeant(flags)
  if (flags.root === true) return runRotateRoot(config, flags, interruption)
  const options: RotateOptions = {
    signal: interruption.signal,
    onEvent: new ProgressBars().onEvent,
    ...given({ keyring, now, ifDue, cryptoperiodDays }),
  }
  return rotateKeys(config, flags.index === true, options, interruption)
}

/** What would go unheeded is refused: a schedule with `--root --if-due` would have a root key rotated every time. */
function assertMeant({ root, index, automatic, now, ifDue, cryptoperiod }: RotateFlags): void {
  const others = {
    '--index': index,
    '--now': now,
    '--if-due': ifDue,
    '--cryptoperiod': cryptoperiod,
  }
  if (root === true) refuseBeside('--root', others)
  else if (automatic !== undefined) throw new TypeError('--automatic goes with --root.')
}

const runRotateRoot: Command<RotateFlags> = async (config, { keyring, automatic }) => {
  const report = await rotateRoot(config, given({ keyring, automaticDays: automatic }))
  return { document: report, text: renderRotateRoot(report), exitCode: 0 }
}

async function rotateKeys(
  config: MigratorConfig,
  isIndex: boolean,
  options: RotateOptions,
  interruption: Interruption,
): Promise<Result> {
  const report = await (isIndex ? rotateIndex : rotate)(config, options)
  const { outcome } = report
  const exitCode = outcome === 'not-due' ? 0 : exitCodeOf({ outcome }, interruption)
  return { document: report, text: renderRotate(report, isIndex), exitCode }
}
