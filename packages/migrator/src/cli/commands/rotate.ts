import { rotate } from '../../rotate.ts'
import { rotateIndex } from '../../rotate-index.ts'
import { exitCodeOf, given, type Command, type Flags } from '../command.ts'
import { ProgressBars } from '../progress.ts'
import type { Registry } from '../registry.ts'
import { renderRotate } from '../render.ts'
import { renderRotateIndex } from '../render-indexes.ts'

interface RotateFlags extends Flags {
  readonly keyring?: string
  readonly index?: boolean
  readonly now?: boolean
}

export function addRotate(registry: Registry): void {
  registry
    .add('rotate', 'make a new key version active', runRotate)
    .option('--keyring <name>', 'which one, if there are several')
    .option('--index', 'the key of blind indexes, once every instance has read it')
    .option('--now', 'with --index: do not wait until every instance has read it')
}

const runRotate: Command<RotateFlags> = async (config, flags, interruption) => {
  if (flags.index === true) return runRotateIndex(config, flags, interruption)
  const report = await rotate(config, flags.keyring)
  return { document: report, text: renderRotate(report), exitCode: 0 }
}

const runRotateIndex: Command<RotateFlags> = async (config, { keyring, now }, interruption) => {
  const report = await rotateIndex(config, {
    signal: interruption.signal,
    onEvent: new ProgressBars().onEvent,
    ...given({ keyring, now }),
  })
  const exitCode = exitCodeOf(report, interruption)
  return { document: report, text: renderRotateIndex(report), exitCode }
}
