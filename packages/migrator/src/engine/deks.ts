import type { Keyring } from '@rowseal/prisma-extension'
import type { Dek } from '@rowseal/prisma-extension/keys'

/** A record of a page that has something to seal under a keyring. */
export interface Wanted {
  readonly keyring: Keyring
  readonly row: number
}

/** The DEK of a record in a keyring. */
export type DekOf = (wanted: Wanted) => Dek

/** Fresh DEKs, one for each record and keyring, whatever the number of its values. */
export async function freshDeks(wanted: readonly Wanted[]): Promise<DekOf> {
  const rowsOf = new Map<Keyring, Set<number>>()
  for (const { keyring, row } of wanted) {
    const rows = rowsOf.get(keyring)
    if (rows === undefined) rowsOf.set(keyring, new Set([row]))
    else rows.add(row)
  }
  const result = new Map<Keyring, Map<number, Dek>>()
  for (const [keyring, rows] of rowsOf) {
    const deks = await keyring.forProtect(rows.size, undefined, false)
    result.set(keyring, new Map([...rows].map((row, i) => [row, deks[i]!])))
  }
  return ({ keyring, row }) => result.get(keyring)!.get(row)!
}
