import { decrypt } from '../../decrypt/decrypt.ts'
import { encrypt } from '../../encrypt/encrypt.ts'
import { exitCodeOf, optionsOf, type Command, type RunFlags } from '../command.ts'
import { ProgressBars } from '../progress.ts'
import { SHARD, type Registry } from '../registry.ts'
import { renderEncrypted } from '../render-run.ts'
import { writes } from '../write-flags.ts'

/** Into Rowseal, and out of it. */
export function addConvert(registry: Registry): void {
  writes(
    registry.add('encrypt', 'seal what is plaintext, and fill its blind indexes', run(encrypt)),
  ).option(...SHARD)
  writes(
    registry.add('decrypt', 'put plaintext back in fields with `seal: off`', run(decrypt)),
  ).option(...SHARD)
}

function run(direction: typeof encrypt): Command<RunFlags> {
  return async (config, flags, interruption) => {
    const bars = new ProgressBars()
    const options = { ...optionsOf(flags, interruption), onEvent: bars.onEvent }
    const report = await direction(config, options).finally(bars.stop)
    const exitCode = exitCodeOf(report, interruption)
    return { document: report, text: renderEncrypted(report), exitCode }
  }
}
