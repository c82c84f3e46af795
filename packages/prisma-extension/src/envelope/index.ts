export { valueAad } from './aad.ts'
export { openEnvelope, sealBytes, sealText } from './aead.ts'
export type { SealingKey } from './aead.ts'
export { decode, encode, parseJson } from './codec.ts'
export type { CodecType } from './codec.ts'
export {
  BYTES_PREFIX_BYTES,
  MAX_VALUE_BYTES,
  TEXT_PREFIX_CHARS,
  bytesPrefix,
  textPrefix,
} from './layout.ts'
export type { Envelope, Suite } from './layout.ts'
export { parseBytes, parseText } from './parse.ts'
export { sizeOfBytes, sizeOfText } from './size.ts'
