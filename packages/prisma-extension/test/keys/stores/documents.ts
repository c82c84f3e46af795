import { documentOf } from '../../../src/keys/stores/document.ts'
import type { KeyringSnapshot } from '../../../src/keys/types.ts'

const BEYOND = 9_000_000_000_000_000

/** A keyring's document as somebody would write it who edits it by hand: a time that is none is a number too high. */
export function editedDocument(snapshot: KeyringSnapshot): any {
  const document: any = documentOf(snapshot)
  for (const [i, row] of snapshot.keys.entries()) {
    for (const [name, value] of Object.entries(row)) {
      if (value instanceof Date && Number.isNaN(value.getTime())) document.keys[i][name] = BEYOND
    }
  }
  return document
}
