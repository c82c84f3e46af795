export { valueAad } from './aad.ts'
export { openEnvelope, sealBytes, sealText } from './aead.ts'
export type { SealingKey } from './aead.ts'
export { boundText } from './bound.ts'
export type { BoundType } from './bound.ts'
export { decode, encode, parseJson } from './codec.ts'
export type { CodecType } from './codec.ts'
export { INDEX_VALUE_CHARS, indexKeyIdOf, indexPrefix, indexValue } from './index-value.ts'
export type { IndexKey } from './index-value.ts'
export {
  BYTES_PREFIX_BYTES,
  MAX_VALUE_BYTES,
  TEXT_PREFIX_CHARS,
  bytesPrefix,
  textPrefix,
} from './layout.ts'
export type { Envelope, Suite } from './layout.ts'
export { NORMALIZERS, normalize } from './normalize.ts'
export type { Normalizer } from './normalize.ts'
export { keyIdOf, parseBytes, parseText } from './parse.ts'
export { rewrapBytes, rewrapText, type HeldDek } from './rewrap.ts'
export { sizeOfBytes, sizeOfText } from './size.ts'
