import { randomBytes } from 'node:crypto'
import { decrypt, encrypt, materialOf } from './ciphertext.ts'
import { KmsError, validation } from './errors.ts'
import {
  blob,
  contextIn,
  named,
  usable,
  wholeNumber,
  type Call,
  type Operation,
} from './protocol.ts'
import type { Key } from './world.ts'

const ALGORITHM = 'SYMMETRIC_DEFAULT'

function generateDataKey(call: Call): object {
  const key = named(call, 'KeyId', true)
  call.permit('GenerateDataKey', key)
  usable(key)
  const plaintext = randomBytes(dataKeyBytes(call))
  const sealed = encrypt(key.shared.material, plaintext, contextIn(call))
  return {
    KeyId: key.arn,
    Plaintext: plaintext.toString('base64'),
    CiphertextBlob: sealed.toString('base64'),
  }
}

function dataKeyBytes(call: Call): number {
  const { KeySpec: spec, NumberOfBytes: bytes } = call.input
  if ((spec === undefined) === (bytes === undefined))
    throw validation('Please specify either number of bytes or key spec.')
  if (spec === undefined) return wholeNumber(call, 'NumberOfBytes', 1, 1024)
  return spec === 'AES_128' ? 16 : 32
}

function encryptOperation(call: Call): object {
  const key = named(call, 'KeyId', true)
  call.permit('Encrypt', key)
  usable(key)
  const sealed = encrypt(key.shared.material, blob(call, 'Plaintext'), contextIn(call))
  return {
    KeyId: key.arn,
    CiphertextBlob: sealed.toString('base64'),
    EncryptionAlgorithm: ALGORITHM,
  }
}

function decryptOperation(call: Call): object {
  const sealed = blob(call, 'CiphertextBlob')
  const key = source(call, sealed, 'KeyId', 'Decrypt')
  const plaintext = decrypt(key.shared.material, sealed, contextIn(call))
  return {
    KeyId: key.arn,
    Plaintext: plaintext.toString('base64'),
    EncryptionAlgorithm: ALGORITHM,
  }
}

function reEncrypt(call: Call): object {
  const sealed = blob(call, 'CiphertextBlob')
  const from = source(call, sealed, 'SourceKeyId', 'ReEncryptFrom')
  const to = named(call, 'DestinationKeyId', true)
  call.permit('ReEncryptTo', to)
  usable(to)
  const plaintext = decrypt(
    from.shared.material,
    sealed,
    contextIn(call, 'SourceEncryptionContext'),
  )
  const again = encrypt(
    to.shared.material,
    plaintext,
    contextIn(call, 'DestinationEncryptionContext'),
  )
  return {
    CiphertextBlob: again.toString('base64'),
    SourceKeyId: from.arn,
    KeyId: to.arn,
    SourceEncryptionAlgorithm: ALGORITHM,
    DestinationEncryptionAlgorithm: ALGORITHM,
  }
}

/** The key a ciphertext is under; if the caller names one, it must be that. */
function source(call: Call, sealed: Buffer, name: string, action: string): Key {
  const pinned = call.input[name] === undefined ? null : named(call, name, true)
  if (pinned !== null) {
    call.permit(action, pinned)
    usable(pinned)
  }
  const key = call.world.withMaterial(call.region, materialOf(sealed))
  if (key === undefined) throw new KmsError('InvalidCiphertextException', '')
  if (pinned !== null && key !== pinned)
    throw new KmsError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
  if (pinned !== null) return key
  call.permit(action, key)
  return usable(key)
}

export const CRYPTOGRAPHY: Readonly<Record<string, Operation>> = {
  GenerateDataKey: generateDataKey,
  Encrypt: encryptOperation,
  Decrypt: decryptOperation,
  ReEncrypt: reEncrypt,
}
