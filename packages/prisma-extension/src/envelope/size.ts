import { paddedBytes } from './codec.ts'
import {
  BYTES_PREFIX_BYTES,
  CODEC_BYTES,
  KEK_WRAPPED_BYTES,
  NONCE_BYTES,
  PAD_LENGTH_BYTES,
  SUITE_BYTES,
  TAG_BYTES,
  TEXT_PREFIX_CHARS,
} from './layout.ts'

/**
 * Length of a text that seals a value, in characters, all of them ASCII.
 *
 * @param valueBytes - UTF-8 bytes of the value: up to 4 for each code point.
 * @param pad - the field's `pad`.
 * @param wrappedBytes - what the wrapped DEK takes: 60 in suite 0x01, 2 and the blob in suite 0x02.
 * @throws {TypeError} if `pad` is not an integer from 0 to 16 MiB.
 */
export function sizeOfText(
  valueBytes: number,
  pad: number,
  wrappedBytes: number = KEK_WRAPPED_BYTES,
): number {
  return TEXT_PREFIX_CHARS + Math.ceil((bodyBytes(valueBytes, pad, wrappedBytes) * 4) / 3)
}

/** Length of the bytes that seal a value. Parameters and errors as for `sizeOfText`. */
export function sizeOfBytes(
  valueBytes: number,
  pad: number,
  wrappedBytes: number = KEK_WRAPPED_BYTES,
): number {
  return BYTES_PREFIX_BYTES + bodyBytes(valueBytes, pad, wrappedBytes)
}

function bodyBytes(valueBytes: number, pad: number, wrappedBytes: number): number {
  const codecBytes = pad === 0 ? CODEC_BYTES : CODEC_BYTES + PAD_LENGTH_BYTES
  return (
    SUITE_BYTES + wrappedBytes + NONCE_BYTES + codecBytes + paddedBytes(valueBytes, pad) + TAG_BYTES
  )
}
