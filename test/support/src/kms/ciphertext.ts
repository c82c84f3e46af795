import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { KmsError } from './errors.ts'

// A ciphertext of this server:
//
//   version (1) ‖ id of the material (16) ‖ its version (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
//   AES-256-GCM; AAD: everything before the nonce ‖ the encryption context as sorted JSON

const HEADER_BYTES = 18
const NONCE_BYTES = 12
const TAG_BYTES = 16

export type EncryptionContext = Readonly<Record<string, string>>

/** Key material, shared by the replicas of a multi-Region key. Former versions stay, to decrypt. */
export interface Material {
  readonly id: Buffer
  readonly versions: Buffer[]
}

export function newMaterial(): Material {
  return { id: randomBytes(16), versions: [randomBytes(32)] }
}

export function encrypt(
  material: Material,
  plaintext: Uint8Array,
  context: EncryptionContext,
): Buffer {
  const version = material.versions.length - 1
  const header = Buffer.concat([Buffer.of(1), material.id, Buffer.of(version)])
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', material.versions[version]!, nonce)
  cipher.setAAD(aadOf(header, context))
  return Buffer.concat([
    header,
    nonce,
    cipher.update(plaintext),
    cipher.final(),
    cipher.getAuthTag(),
  ])
}

/** The id of the material, in hex, that a ciphertext names. */
export function materialOf(blob: Buffer): string {
  if (blob.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES || blob[0] !== 1) throw invalid()
  return blob.toString('hex', 1, 17)
}

export function decrypt(material: Material, blob: Buffer, context: EncryptionContext): Buffer {
  const key = material.versions[blob[17]!]
  if (key === undefined) throw invalid()
  const nonce = blob.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(aadOf(blob.subarray(0, HEADER_BYTES), context))
  decipher.setAuthTag(blob.subarray(-TAG_BYTES))
  const sealed = blob.subarray(HEADER_BYTES + NONCE_BYTES, -TAG_BYTES)
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()])
  } catch {
    throw invalid()
  }
}

/** AWS answers it without a message. */
function invalid(): KmsError {
  return new KmsError('InvalidCiphertextException', '')
}

function aadOf(header: Uint8Array, context: EncryptionContext): Buffer {
  const entries = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.concat([header, Buffer.from(JSON.stringify(entries))])
}
