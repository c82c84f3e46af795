import { decrypt } from '../../decrypt/decrypt.ts'
import { encrypt } from '../../encrypt/encrypt.ts'
import type { Command } from '../command.ts'
import { reports, type ProofFlags } from '../proof-flags.ts'
import { shares, type Registry } from '../registry.ts'
import { renderEncrypted } from '../render-run.ts'
import { runDirectionBy } from '../run-direction.ts'
import { writes } from '../write-flags.ts'

/** Into Rowseal, and out of it. */
export function addConvert(registry: Registry): void {
  const into = 'seal what is plaintext, and fill its blind indexes'
  const outOf = 'put plaintext back in fields with `seal: off`'
  reports(shares(writes(registry.add('encrypt', into, convert('encrypt', encrypt)))))
  reports(shares(writes(registry.add('decrypt', outOf, convert('decrypt', decrypt)))))
}

function convert(direction: 'encrypt' | 'decrypt', run: typeof encrypt): Command<ProofFlags> {
  return (...all) => runDirectionBy({ direction, run, render: renderEncrypted }, ...all)
}
