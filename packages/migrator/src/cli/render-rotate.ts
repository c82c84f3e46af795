import { isTenantKeyring } from '@rowseal/prisma-extension/keys'
import type { RotateReport } from '../rotate.ts'

/** @param isIndex - of index keys? */
export function renderRotate(report: RotateReport, isIndex: boolean): string {
  const { keyring, outcome, from, to, isOurs, due } = report
  const what = isIndex ? 'index key' : 'key'
  const next =
    isIndex && isTenantKeyring(keyring)
      ? 'Nothing moves those of a tenant yet.'
      : `Next: npx rowseal ${isIndex ? 'reindex' : 'drain'}`
  const lines = due.map(({ text }) => `Keyring "${keyring}" is due: ${text}.`)
  switch (outcome) {
    case 'not-due':
      return `Keyring "${keyring}": ${what} ${from.keyId} (version ${from.version}) is not due. Nothing was done.`
    case 'stopped':
      lines.push(
        `Stopped. Keyring "${keyring}": ${what} ${to.keyId} (version ${to.version}) is stored, and not active yet.`,
      )
      break
    case 'done':
      if (!isOurs) lines.push('Somebody else rotated at the same time; this is what they made.')
      lines.push(
        `Keyring "${keyring}": ${what} ${to.keyId} (version ${to.version}) is active, key ${from.keyId} is suspended.`,
        isIndex
          ? `Values of blind indexes under key ${from.keyId} are found until they are moved. ${next}`
          : `Values under key ${from.keyId} are stale now, and open as ever. ${next}`,
      )
  }
  return lines.join('\n')
}
