import { decrypt } from '../../decrypt/decrypt.ts'
import { encrypt } from '../../encrypt/encrypt.ts'
import { given, optionsOf, type Command } from '../command.ts'
import { exitCodeAfter, proves, type ProofFlags } from '../proof-flags.ts'
import { ProgressBars } from '../progress.ts'
import { shares, type Registry } from '../registry.ts'
import { renderEncrypted } from '../render-run.ts'
import { writes } from '../write-flags.ts'

/** Into Rowseal, and out of it. */
export function addConvert(registry: Registry): void {
  const into = 'seal what is plaintext, and fill its blind indexes'
  const outOf = 'put plaintext back in fields with `seal: off`'
  proves(shares(writes(registry.add('encrypt', into, run(encrypt)))))
  proves(shares(writes(registry.add('decrypt', outOf, run(decrypt)))))
}

function run(direction: typeof encrypt): Command<ProofFlags> {
  return async (config, flags, interruption) => {
    const bars = new ProgressBars()
    const proof = given({ proof: flags.proof })
    const options = { ...optionsOf(flags, interruption), ...proof, onEvent: bars.onEvent }
    const report = await direction(config, options).finally(bars.stop)
    const exitCode = exitCodeAfter(report, interruption)
    return { document: report, text: renderEncrypted(report), exitCode }
  }
}
