import { cancelDestroy, destroyKey } from '../../keys/destroy.ts'
import { cancelDestroyKeyring, destroyKeyring } from '../../keys/destroy-keyring.ts'
import { forgetField, type ForgetReport } from '../../keys/forget.ts'
import { retireKey } from '../../keys/retire.ts'
import { typed } from '../ask.ts'
import { given } from '../../given.ts'
import { exitCodeOf, keyIdOf, refuseBeside, type Command, type Flags } from '../command.ts'
import { say } from '../output.ts'
import { ProgressBars } from '../progress.ts'
import { integer } from '../numbers.ts'
import type { Registry } from '../registry.ts'
import {
  renderCancelled,
  renderDestroy,
  renderDestruction,
  renderForget,
  renderRetire,
  renderShred,
  renderShredding,
} from '../render-ends.ts'

interface RetireFlags extends Flags {
  readonly fence?: boolean
  readonly now?: boolean
}

interface DestroyFlags extends Flags {
  readonly keyring?: string
  /** Days. */
  readonly wait?: number
  readonly yes?: boolean
  readonly cancel?: boolean
}

/** The end of key versions, and of keyrings. */
export function addKeyEnds(keys: Registry): void {
  keys
    .add('retire', 'deactivate a version that no value names any more', runRetire)
    .argument('<key>', 'key id of a suspended version')
    .option('--fence', 'have the database refuse every value under it from now on')
    .option('--now', 'do not wait until no instance seals under it')
  keys
    .add('destroy', 'delete a version for good, after a waiting period', runDestroy)
    .argument('[key]', 'key id of a retired or compromised version')
    .option('--keyring <name>', 'shred a whole keyring, as that of a tenant, instead')
    .option('--wait <days>', 'waiting period, 7 to 30 days (default: 30)', integer)
    .option('--yes', 'do not ask')
    .option('--cancel', 'let it open again, while the waiting period is not over')
  keys
    .add('forget', 'declare that columns are gone, with all values in them', runForget)
    .argument('<fields...>', 'Model.field: a sealed field, or the column of a blind index')
}

const runRetire: Command<RetireFlags> = async (config, { args, fence, now }, interruption) => {
  const report = await retireKey(config, keyIdOf(args[0]), {
    signal: interruption.signal,
    onEvent: new ProgressBars().onEvent,
    ...given({ fence, now }),
  })
  const exitCode = exitCodeOf(report, interruption)
  return { document: report, text: renderRetire(report), exitCode }
}

const runDestroy: Command<DestroyFlags> = async (config, flags, interruption) => {
  const { args, keyring, cancel, wait } = flags
  if ((args.length === 0) === (keyring === undefined))
    throw new TypeError('Name either a KEY or, with --keyring, a whole keyring.')
  if (cancel === true) refuseBeside('--cancel', { '--wait': wait })
  if (keyring !== undefined) return runShred(config, flags, interruption)
  const keyId = keyIdOf(args[0])
  if (cancel === true) {
    const key = await cancelDestroy(config, keyId)
    return { document: { keys: [key] }, text: renderCancelled([key]), exitCode: 0 }
  }
  const report = await destroyKey(config, keyId, {
    ...given({ waitDays: wait }),
    confirm: async (destruction) => {
      say(renderDestruction(destruction, wait))
      return flags.yes === true || typed(String(keyId), `Type ${keyId} to go on: `)
    },
  })
  const exitCode = report.outcome === 'declined' ? 1 : 0
  return { document: report, text: renderDestroy(report, wait), exitCode }
}

const runShred: Command<DestroyFlags> = async (config, { keyring: name = '', ...flags }) => {
  if (flags.cancel === true) {
    const keys = await cancelDestroyKeyring(config, name)
    return { document: { keys }, text: renderCancelled(keys, name), exitCode: 0 }
  }
  const report = await destroyKeyring(config, name, {
    ...given({ waitDays: flags.wait }),
    confirm: async (shredding) => {
      say(renderShredding(shredding, flags.wait))
      return flags.yes === true || typed(name, `Type ${name} to go on: `)
    },
  })
  const exitCode = report.outcome === 'declined' ? 1 : 0
  return { document: report, text: renderShred(report, flags.wait), exitCode }
}

const runForget: Command = async (config, { args }) => {
  const reports: ForgetReport[] = []
  for (const field of args) reports.push(await forgetField(config, field))
  return { document: { fields: reports }, text: renderForget(reports), exitCode: 0 }
}
