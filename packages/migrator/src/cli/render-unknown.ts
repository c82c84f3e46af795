import type { UnknownValues } from '../drain/unknown.ts'
import { count } from './output.ts'

/** While another key store is asked, a new version may take the key ids of these values. */
const NO_SUCH_KEY =
  'The key store has no such key: it is another one, or was put back to a state of before. Connect to the right one, or restore it, before anything is rotated or sealed: a new key version would take the same key id.'

/** What to do about values whose keys their keyring does not have: a line for each field and key. */
export function renderUnknown(unknown: readonly UnknownValues[]): string[] {
  const lines = unknown.map(({ field, keyId, keyring, count: n }) =>
    keyring === null
      ? `${count(n)} of ${field} are under key ${keyId}.`
      : `${count(n)} of ${field} are under key ${keyId} of keyring "${keyring}", which is not that of the field: they do not open. Name it in the annotation again, or write them again.`,
  )
  return unknown.some(({ keyring }) => keyring === null) ? [...lines, NO_SUCH_KEY] : lines
}
