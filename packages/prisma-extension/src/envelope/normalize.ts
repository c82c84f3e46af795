/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.

/**
 * What makes texts equal for a blind index. Never changed in place: values computed by another
 * definition would be missed in silence. All are independent of the locale.
 *
 * @see docs/spec/blind-index-v1.md#normalizers
 */
export const NORMALIZERS = Object.freeze({
  trim: (text: string): string => text.trim(),
  lowercase: (text: string): string => text.toLowerCase(),
  uppercase: (text: string): string => text.toUpperCase(),
  nfc: (text: string): string => text.normalize('NFC'),
  nfkc: (text: string): string => text.normalize('NFKC'),
  diacritics: (text: string): string =>
    text
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '')
      .normalize('NFC'),
  digits: (text: string): string => text.replace(/[^0-9]/g, ''),
  email: (text: string): string => text.normalize('NFC').trim().toLowerCase(),
})

export type Normalizer = keyof typeof NORMALIZERS

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
