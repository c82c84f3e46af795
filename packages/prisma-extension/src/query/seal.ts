import { sealBytes, sealText, type SealingKey } from '../envelope/index.ts'
import type { Keyring } from '../keys/index.ts'
import type { FieldPlan } from './compile.ts'
import type { SealSites } from './sites.ts'

/** Seal one plaintext of a field, in the form its column takes. */
export function sealValue(
  field: FieldPlan,
  dek: SealingKey,
  plaintext: Uint8Array,
): string | Buffer {
  const aad = field.aad(dek.suite)
  return field.spec.type === 'Bytes'
    ? sealBytes(dek, aad, plaintext)
    : sealText(dek, aad, plaintext)
}

/** Put an envelope at every place the walk over the arguments found. */
export function sealAll(sites: SealSites, deks: ReadonlyMap<Keyring, readonly SealingKey[]>): void {
  for (const { target, key, field, plaintext, slot } of sites.sites) {
    const dek = deks.get(field.keyring)?.[slot]
    if (dek === undefined) throw new TypeError('No DEK for a collected site.')
    target[key] = sealValue(field, dek, plaintext)
  }
}
