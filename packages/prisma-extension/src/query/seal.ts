import { sealBytes, sealText, type SealingKey } from '../envelope/index.ts'
import type { FieldKeyring } from '../keys/index.ts'
import type { FieldPlan } from './compile.ts'
import type { SealSite, SealSites } from './sites.ts'

/**
 * Seal one plaintext of a field, in the form its column takes.
 *
 * @param bound - what the AAD holds of the record.
 */
export function sealValue(
  field: FieldPlan,
  dek: SealingKey,
  plaintext: Uint8Array,
  bound: readonly Uint8Array[],
): string | Buffer {
  const aad = field.aad(dek.suite, bound)
  return field.spec.type === 'Bytes'
    ? sealBytes(dek, aad, plaintext)
    : sealText(dek, aad, plaintext)
}

/**
 * Put an envelope at every place the walk over the arguments found.
 *
 * @param sealed - gets the site of each text envelope, by its text; null if nobody asks, as each is a long key.
 */
export function sealAll(
  sites: SealSites,
  deks: ReadonlyMap<FieldKeyring, readonly SealingKey[]>,
  sealed: Map<string, SealSite> | null,
): void {
  for (const site of sites.sites) {
    const { target, key, field, plaintext, bound, slot } = site
    const dek = deks.get(field.keyring)?.[slot]
    if (dek === undefined) throw new TypeError('No DEK for a collected site.')
    const stored = sealValue(field, dek, plaintext, bound)
    target[key] = stored
    if (sealed !== null && typeof stored === 'string') sealed.set(stored, site)
  }
}
