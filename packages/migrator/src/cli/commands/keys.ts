import { listKeys } from '../../keys/list.ts'
import { rewrapKeys } from '../../keys/rewrap.ts'
import { compromiseKey, resumeKey, suspendKey, type SuccessorOptions } from '../../keys/suspend.ts'
import { given } from '../../given.ts'
import { exitCodeOf, keyIdOf, type Command, type Flags } from '../command.ts'
import { ProgressBars } from '../progress.ts'
import { integer } from '../numbers.ts'
import type { Registry } from '../registry.ts'
import { renderKeys, renderRewrap } from '../render-keys.ts'
import { renderCompromise, renderState } from '../render-states.ts'
import type { Interruption } from '../signals.ts'
import { addKeyEnds } from './keys-end.ts'

const KEY = ['<key>', 'key id, as `rowseal keys list` shows it'] as const
const SUCCESSOR = [
  '--successor <key>',
  'key id of the version that takes over (default: the one that waits, or a new one)',
  integer,
] as const

type SuccessorFlags = Flags & Pick<SuccessorOptions, 'successor' | 'now'>

const NOW = [
  '--now',
  'for an index key: do not wait until every instance has read the one that takes over',
] as const

interface ListFlags extends Flags {
  readonly count?: boolean
  /** Days. */
  readonly cryptoperiod?: number
}

export function addKeys(registry: Registry): void {
  const keys = registry.group('keys', 'look at key versions, and change their states')
  keys
    .add('list', 'every key version, and what the KMS says of the root keys', runList)
    .option('--count', 'count the values under each key, which reads whole tables')
    .option('--cryptoperiod <days>', 'how long a version may seal (default: 365)', integer)
  keys
    .add('suspend', 'take the active version out of use; another takes over', runSuspend)
    .argument(...KEY)
    .option(...SUCCESSOR)
    .option(...NOW)
  keys
    .add('resume', 'make a suspended version active again: roll a rotation back', runResume)
    .argument(...KEY)
  keys
    .add('compromise', 'note that a version leaked; another takes over', runCompromise)
    .argument(...KEY)
    .option(...SUCCESSOR)
    .option(...NOW)
  keys.add('rewrap', 'bring KEKs and index keys under the root key that is used now', runRewrap)
  addKeyEnds(keys)
}

const runList: Command<ListFlags> = async (config, { count, cryptoperiod: cryptoperiodDays }) => {
  const report = await listKeys(config, given({ count, cryptoperiodDays }))
  return { document: report, text: renderKeys(report), exitCode: 0 }
}

const runSuspend: Command<SuccessorFlags> = async (config, flags, interruption) => {
  const options = successorOf(flags, interruption)
  const report = await suspendKey(config, keyIdOf(flags.args[0]), options)
  const exitCode = exitCodeOf(report, interruption)
  return { document: report, text: renderState(report), exitCode }
}

const runResume: Command = async (config, { args }) => {
  const report = await resumeKey(config, keyIdOf(args[0]))
  return { document: report, text: renderState(report), exitCode: 0 }
}

const runCompromise: Command<SuccessorFlags> = async (config, flags, interruption) => {
  const options = successorOf(flags, interruption)
  const report = await compromiseKey(config, keyIdOf(flags.args[0]), options)
  const exitCode = exitCodeOf(report, interruption)
  return { document: report, text: renderCompromise(report), exitCode }
}

function successorOf(
  { successor, now }: SuccessorFlags,
  { signal }: Interruption,
): SuccessorOptions {
  return { signal, onEvent: new ProgressBars().onEvent, ...given({ successor, now }) }
}

const runRewrap: Command = async (config) => {
  const report = await rewrapKeys(config)
  return { document: report, text: renderRewrap(report), exitCode: 0 }
}
