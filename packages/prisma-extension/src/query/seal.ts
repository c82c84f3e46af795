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
 * @returns the site of each text envelope, by its text.
 */
export function sealAll(
  sites: SealSites,
  deks: ReadonlyMap<FieldKeyring, readonly SealingKey[]>,
): ReadonlyMap<string, SealSite> {
  const sealed = new Map<string, SealSite>()
  for (const site of sites.sites) {
    const { target, key, field, plaintext, bound, slot } = site
    const dek = deks.get(field.keyring)?.[slot]
    if (dek === undefined) throw new TypeError('No DEK for a collected site.')
    const stored = sealValue(field, dek, plaintext, bound)
    target[key] = stored
    if (typeof stored === 'string') sealed.set(stored, site)
  }
  return sealed
}
