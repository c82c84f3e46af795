import { parseBytes, parseText, type Envelope } from '@rowseal/prisma-extension/envelope'
import { isIndexKeyring, type KeyState } from '@rowseal/prisma-extension/keys'
import type { Keyring } from '@rowseal/prisma-extension'
import { contextOf, isPool, type MigratorConfig } from './config.ts'

/** What can be said of an envelope without opening it. */
export interface Inspection {
  readonly form: 'text' | 'bytes'
  readonly keyId: number
  /** Eight hex digits, as in a text envelope. */
  readonly keyIdHex: string
  readonly suite: Envelope['suite']
  readonly wrappedDekBytes: number
  /** Bytes of ciphertext: the value, its codec tag, and its padding if any. */
  readonly ciphertextBytes: number
  /** What the key store knows of the key; null if none of the keyrings has it. */
  readonly key: {
    readonly keyring: string
    readonly version: number
    readonly state: KeyState
    readonly isActive: boolean
    readonly rootKeyId: string
  } | null
}

/**
 * Look at one stored value: text as it stands in the column (with its quotes, for Json), or bytes in hex
 * (`\x…`, `0x…`, `x'…'` or bare). Never opens it.
 *
 * @throws {TypeError} if it is no envelope.
 * @throws {EnvelopeError} `ERR_ENVELOPE_MALFORMED` if it starts like one and is broken.
 */
export async function inspect(config: MigratorConfig, value: string): Promise<Inspection> {
  const text = value.trim().replace(/^"(.*)"$/s, '$1')
  const hex = /^(?:\\x|0x|x')?((?:[0-9a-f]{2})+)'?$/i.exec(text)?.[1]
  const asText = parseText(text)
  const envelope = asText ?? (hex === undefined ? null : parseBytes(Buffer.from(hex, 'hex')))
  if (envelope === null)
    throw new TypeError('This is no envelope: text starts with rs1. and bytes in hex with 525301.')
  const { keyId, suite, wrapped, ciphertext } = envelope
  let key: Inspection['key'] = null
  for (const keyring of await candidates(config, keyId)) {
    await keyring.refresh()
    const row = keyring.keys().find((candidate) => candidate.keyId === keyId)
    if (row === undefined) continue
    const { version, state, rootKeyId } = row
    const isActive = keyring.activeKeyId === keyId
    key = { keyring: keyring.name, version, state, isActive, rootKeyId }
  }
  return {
    form: asText === null ? 'bytes' : 'text',
    keyId,
    keyIdHex: keyId.toString(16).padStart(8, '0'),
    suite,
    wrappedDekBytes: wrapped.length,
    ciphertextBytes: ciphertext.length,
    key,
  }
}

/** The keyrings that may have a key. */
async function candidates(config: MigratorConfig, keyId: number): Promise<Iterable<Keyring>> {
  const { keyring } = config
  if (!isPool(keyring)) return contextOf(config).keyrings.values()
  const owner = await keyring.ownerOf(keyId)
  return owner === null || isIndexKeyring(owner) ? [] : [await keyring.get(owner)]
}
