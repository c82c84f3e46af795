import { DecryptCommand, GenerateDataKeyCommand, ReEncryptCommand } from '@aws-sdk/client-kms'
import { inspect } from 'node:util'
import { KeyError } from '../../errors.ts'
import type { RootKey, RootKeyInfo, WrapContext, WrappedKey } from '../types.ts'
import { parseArn } from './aws-kms-arn.ts'
import { AwsClients, type Send } from './aws-kms-client.ts'
import type { KmsRequest } from './aws-kms-errors.ts'
import {
  assertWrapped,
  awsContext,
  KEY_BYTES,
  requestOf,
  strange,
  taken,
  wrappedKey,
} from './aws-kms-keys.ts'
import { assertHow, describeKey, primaryOf, rotateKey } from './aws-kms-manage.ts'
import { checkAwsOptions, type AwsKmsOptions, type CheckedAwsOptions } from './aws-kms-options.ts'
import { Places, type Place } from './aws-kms-places.ts'

export type { AwsClientConfig, AwsKmsOptions } from './aws-kms-options.ts'

/**
 * A key in AWS KMS. Keys are made by `GenerateDataKey`, unwrapped by `Decrypt` with the stored key ARN
 * pinned, and moved to another key by `ReEncrypt` inside KMS. The encryption context of every call is
 * `rowseal:keyring`, `rowseal:keyId` and, for other uses than a KEK, `rowseal:use`. Makes no call yet.
 *
 * @throws {TypeError} for an option out of bounds.
 * @see docs/providers/aws-kms.md
 */
export function awsKms(options: AwsKmsOptions): RootKey {
  return new AwsKms(checkAwsOptions(options))
}

class AwsKms implements RootKey {
  readonly provider = 'aws-kms'
  readonly #options: CheckedAwsOptions
  readonly #clients: AwsClients
  readonly #places: Places

  constructor(options: CheckedAwsOptions) {
    this.#options = options
    this.#clients = new AwsClients(options)
    this.#places = new Places(options, () => this.#clients.region())
  }

  async create(context: WrapContext): Promise<WrappedKey & { key: Buffer }> {
    return firstAnswer(await this.#places.targets(), async (place) => {
      const request = requestOf('GenerateDataKey', place, context)
      const command = new GenerateDataKeyCommand({
        KeyId: place.keyId,
        NumberOfBytes: KEY_BYTES,
        EncryptionContext: awsContext(context),
      })
      const answer = await this.#call(request, (client, options) => client.send(command, options))
      const key = taken(answer.Plaintext, request)
      try {
        return { key, ...wrappedKey(answer.CiphertextBlob, answer.KeyId, request) }
      } catch (error) {
        key.fill(0)
        throw error
      }
    })
  }

  async unwrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<Buffer> {
    const places = await this.#places.of(rootKeyId)
    assertWrapped(wrapped, rootKeyId, context)
    return firstAnswer(places, async (place) => {
      const request = requestOf('Decrypt', place, context)
      const command = new DecryptCommand({
        CiphertextBlob: wrapped,
        KeyId: place.keyId,
        EncryptionContext: awsContext(context),
      })
      const answer = await this.#call(request, (client, options) => client.send(command, options))
      const key = taken(answer.Plaintext, request)
      if (answer.KeyId === place.keyId) return key
      key.fill(0)
      throw strange(request)
    })
  }

  rewrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<WrappedKey> {
    return this.rebind(wrapped, rootKeyId, context, context)
  }

  async rebind(
    wrapped: Uint8Array,
    rootKeyId: string,
    before: WrapContext,
    after: WrapContext,
  ): Promise<WrappedKey> {
    const sources = await this.#places.of(rootKeyId)
    assertWrapped(wrapped, rootKeyId, before)
    const [first, ...pairs] = pairsIn(sources, await this.#places.targets())
    if (first === undefined) throw apart(rootKeyId, await this.#places.targets())
    return firstAnswer([first, ...pairs], async ({ from, to }) => {
      const keyId = `${from.keyId} to ${to.keyId}`
      const request = requestOf('ReEncrypt', { keyId, region: to.region }, before)
      const command = new ReEncryptCommand({
        CiphertextBlob: wrapped,
        SourceKeyId: from.keyId,
        SourceEncryptionContext: awsContext(before),
        DestinationKeyId: to.keyId,
        DestinationEncryptionContext: awsContext(after),
      })
      const answer = await this.#call(request, (client, options) => client.send(command, options))
      if (answer.SourceKeyId !== from.keyId) throw strange(request)
      return wrappedKey(answer.CiphertextBlob, answer.KeyId, request)
    })
  }

  async describe(rootKeyId?: string): Promise<RootKeyInfo> {
    const isNow = rootKeyId === undefined
    const places = isNow ? await this.#places.targets() : await this.#places.of(rootKeyId)
    return firstAnswer(places, (place) => describeKey(this.#clients, place))
  }

  /** On the primary key, which is where a multi-Region key is rotated; no replica stands in for it. */
  async rotate(how: { readonly automaticDays: number } | 'now'): Promise<RootKeyInfo> {
    assertHow(how)
    const [first] = await this.#places.targets()
    const primary = await primaryOf(this.#clients, first)
    await this.#assertCallable(primary)
    await rotateKey(this.#clients, primary, how)
    return describeKey(this.#clients, primary)
  }

  regions(): Promise<readonly string[]> {
    return this.#places.regions()
  }

  regionOf(rootKeyId: string): string | null {
    return parseArn(rootKeyId)?.region ?? null
  }

  toJSON(): object {
    const { first, replicas } = this.#options
    const more = replicas.length === 0 ? {} : { replicas: replicas.map(({ arn }) => arn) }
    return { provider: this.provider, keyId: first.keyId, region: first.region, ...more }
  }

  [inspect.custom](): string {
    return `RootKey ${inspect(this.toJSON())}`
  }

  #call<T extends object>(request: KmsRequest, send: Send<T>): Promise<T> {
    return this.#clients.call(request, send, zero)
  }

  async #assertCallable({ keyId, region }: Place): Promise<void> {
    const regions = await this.regions()
    if (regions.includes(region)) return
    throw new KeyError(
      'ERR_ROOT_KEY_REGION',
      `The primary key ${keyId} is in ${region}, and awsKms may call ${regions.join(', ')}.`,
      { fix: `Rotate it from an instance that may call ${region}.` },
    )
  }
}

/** In order; the next one only while those before are out of reach. What one denies is denied. */
async function firstAnswer<P, T>(
  [first, ...rest]: readonly [P, ...P[]],
  ask: (place: P) => Promise<T>,
): Promise<T> {
  try {
    return await ask(first)
  } catch (error) {
    const [next, ...others] = rest
    const isOutage = error instanceof KeyError && error.retryable
    if (next === undefined || !isOutage) throw error
    return firstAnswer([next, ...others], ask)
  }
}

/** Source and destination of a ReEncrypt, which does not leave its region. */
function pairsIn(
  sources: readonly Place[],
  targets: readonly Place[],
): readonly { readonly from: Place; readonly to: Place }[] {
  return targets.flatMap((to) => {
    const from = sources.find(({ region }) => region === to.region)
    return from === undefined ? [] : [{ from, to }]
  })
}

function apart(rootKeyId: string, targets: readonly Place[]): KeyError {
  const regions = targets.map(({ region }) => region).join(', ')
  return new KeyError(
    'ERR_ROOT_KEY_REGION',
    `Keys under ${rootKeyId} cannot be moved to a key in ${regions}: ReEncrypt does not leave a region.`,
    {
      fix: 'Run `npx rowseal rotate` and `npx rowseal drain` instead, then retire the old versions.',
    },
  )
}

/** A key in an answer that nobody waits for any more. */
function zero(answer: object): void {
  const { Plaintext: plaintext } = answer as { Plaintext?: Uint8Array }
  plaintext?.fill(0)
}
