import {
  CreateAliasCommand,
  CreateKeyCommand,
  KMSClient,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { startKms, type KmsServer } from '@rowseal/test-support'
import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'vitest'
import { KeyError } from '../../src/errors.ts'
import { awsKms, type AwsKmsOptions } from '../../src/keys/providers/aws-kms.ts'
import type { RootKey, WrapContext } from '../../src/keys/types.ts'

export const REGION = 'eu-central-1'
export const KEK: WrapContext = { keyring: 'default', keyId: 7, use: 'kek' }
export const clientConfig = {
  credentials: { accessKeyId: 'tester', secretAccessKey: 'none' },
} as const

/** What speaks KMS here: our server always, and what KMS_ENDPOINT names. */
export interface Endpoint {
  readonly name: string
  readonly url: string
  readonly sdk: KMSClient
  /** A new key behind a new alias. */
  key(options?: { multiRegion?: boolean }): Promise<{ arn: string; alias: string }>
  /** Let an alias name another key. */
  point(alias: string, arn: string): Promise<void>
}

export async function endpoints(): Promise<{ own: KmsServer; all: Endpoint[] }> {
  const own = await startKms({ region: REGION })
  const given = process.env['KMS_ENDPOINT']
  const all = [endpointOf('our server', own.url)]
  if (given !== undefined) all.push(endpointOf('KMS_ENDPOINT', given))
  return { own, all }
}

function endpointOf(name: string, url: string): Endpoint {
  const sdk = new KMSClient({ endpoint: url, region: REGION, ...clientConfig })
  return {
    name,
    url,
    sdk,
    key: async ({ multiRegion = false } = {}) => {
      const { KeyMetadata } = await sdk.send(new CreateKeyCommand({ MultiRegion: multiRegion }))
      const [arn, alias] = [KeyMetadata!.Arn!, `alias/rowseal-${randomUUID()}`]
      await sdk.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: arn }))
      return { arn, alias }
    },
    point: async (alias, arn) => {
      await sdk.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: arn }))
    },
  }
}

/** A root key at one endpoint, which may be http: an emulator may be on another machine. */
export function rootAt(url: string, keyId: string, options: Partial<AwsKmsOptions> = {}): RootKey {
  const region = keyId.startsWith('arn:') ? {} : { region: REGION }
  return awsKms({ keyId, ...region, endpoint: url, allowHttp: true, clientConfig, ...options })
}

export type Operation = 'create' | 'unwrap' | 'rewrap' | 'describe'
export const AWS_NAME = {
  create: 'GenerateDataKey',
  unwrap: 'Decrypt',
  rewrap: 'ReEncrypt',
  describe: 'DescribeKey',
} as const
export const EVERY = Object.keys(AWS_NAME) as Operation[]

export interface Practice {
  readonly arn: string
  readonly root: RootKey
  /** What an operation fails with. */
  readonly fails: (operation: Operation) => Promise<KeyError>
}

/** A root key, and a key that it made for its operations to fail with. */
export async function practiceAt(
  kms: KmsServer,
  options: Partial<AwsKmsOptions>,
): Promise<Practice> {
  const arn = kms.createKey()
  const root = rootAt(kms.url, arn, options)
  const { key, wrapped } = await root.create(KEK)
  kms.forget()
  const calls: Record<Operation, () => Promise<unknown>> = {
    create: () => root.create(KEK),
    unwrap: () => root.unwrap(wrapped, arn, KEK),
    rewrap: () => root.rewrap(wrapped, arn, KEK),
    describe: () => root.describe(),
  }
  return { arn, root, fails: (operation) => failure(calls[operation](), key, wrapped) }
}

/** The error of a call that fails, in which none of the secrets is to be found. */
export async function failure(
  call: Promise<unknown>,
  ...secrets: readonly Uint8Array[]
): Promise<KeyError> {
  const error = await call.then(
    () => new Error('did not fail'),
    (caught: unknown) => caught,
  )
  if (!(error instanceof KeyError)) throw error
  expectHidden(error, ...secrets)
  return error
}

/** Is nothing of these bytes shown, at any depth, in any of the usual forms? */
export function expectHidden(value: object, ...secrets: readonly Uint8Array[]): void {
  const shown = `${inspect(value, { depth: 30, showHidden: true, maxArrayLength: null })}\n${JSON.stringify(value)}`
  for (const secret of secrets) {
    const bytes = Buffer.from(secret)
    const numbers = [...bytes.subarray(0, 8)]
    for (const form of [
      bytes.toString('hex').slice(0, 16),
      bytes.toString('base64').slice(0, 12),
      bytes.toString('base64url').slice(0, 12),
      bytes.toString('latin1').slice(0, 12),
      numbers.join(','),
      numbers.join(', '),
      bytes.toString('hex').replaceAll(/(..)/g, '$1 ').slice(0, 23),
    ]) {
      expect(shown).not.toContain(form)
    }
  }
  for (const word of ['AWS4-HMAC', 'authorization', '$response', 'Socket', 'CiphertextBlob']) {
    expect(shown).not.toContain(word)
  }
}
