/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.
import type { Normalizer } from '../plan/index.ts'

/**
 * What makes texts equal for a blind index. Never changed in place: values computed by another
 * definition would be missed in silence. All are independent of the locale.
 *
 * @see docs/spec/blind-index-v1.md#normalizers
 */
export const NORMALIZERS: Readonly<Record<Normalizer, (text: string) => string>> = Object.freeze({
  trim: (text) => text.trim(),
  lowercase: (text) => text.toLowerCase(),
  uppercase: (text) => text.toUpperCase(),
  nfc: (text) => text.normalize('NFC'),
  nfkc: (text) => text.normalize('NFKC'),
  diacritics: (text) =>
    text
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '')
      .normalize('NFC'),
  digits: (text) => text.replace(/[^0-9]/g, ''),
  email: (text) => text.normalize('NFC').trim().toLowerCase(),
})

export type { Normalizer }

/**
 * Apply normalizers to a text, in the order written.
 *
 * @throws {TypeError} if a name is not in the table, or the text holds a lone surrogate.
 * @see docs/spec/blind-index-v1.md#normalizers
 */
export function normalize(names: readonly Normalizer[], text: string): string {
  assertWellFormed(text)
  return names.reduce((normalized, name) => {
    if (Object.hasOwn(NORMALIZERS, name)) return NORMALIZERS[name](normalized)
    throw new TypeError('A normalizer is one of the names that NORMALIZERS lists.')
  }, text)
}

/** UTF-8 cannot carry lone surrogates: two texts would become the same bytes. */
export function assertWellFormed(text: string): void {
  if (typeof text !== 'string' || !text.isWellFormed())
    throw new TypeError('A blind index takes text without lone surrogates.')
}
