import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  CancelKeyDeletionCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { startKms } from '@rowseal/test-support'

const kms = await startKms()
const west = await startKms({ region: 'eu-west-1', world: kms.world })
const client = (endpoint: string, region = 'eu-central-1'): KMSClient =>
  new KMSClient({
    endpoint,
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'tester', secretAccessKey: 'none' },
  })
const sdk = client(kms.url)
const Plaintext = Buffer.from('a secret')

afterAll(() => Promise.all([kms.stop(), west.stop()]))

describe('the KMS server of the tests', () => {
  test('decrypts without a key id, as AWS does, and with the right one alone', async () => {
    const [KeyId, other] = [kms.createKey(), kms.createKey()]
    const { CiphertextBlob } = await sdk.send(new EncryptCommand({ KeyId, Plaintext }))
    const answer = await sdk.send(new DecryptCommand({ CiphertextBlob }))
    expect(answer.KeyId).toBe(KeyId)
    expect(Buffer.from(answer.Plaintext!)).toEqual(Plaintext)
    const wrong = sdk.send(new DecryptCommand({ CiphertextBlob, KeyId: other }))
    await expect(wrong).rejects.toMatchObject({ name: 'IncorrectKeyException' })
  })

  test('takes the entries of an encryption context in any order', async () => {
    const KeyId = kms.createKey()
    const one = { EncryptionContext: { a: '1', b: '2' } }
    const { CiphertextBlob } = await sdk.send(new EncryptCommand({ KeyId, Plaintext, ...one }))
    const other = { EncryptionContext: { b: '2', a: '1' } }
    await sdk.send(new DecryptCommand({ CiphertextBlob, ...other }))
    const wrong = sdk.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: '1' } }))
    await expect(wrong).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
  })

  test('decrypts with former material after a rotation', async () => {
    const KeyId = kms.createKey()
    const { CiphertextBlob } = await sdk.send(new EncryptCommand({ KeyId, Plaintext }))
    await sdk.send(new RotateKeyOnDemandCommand({ KeyId }))
    kms.rotate(KeyId)
    await sdk.send(new DecryptCommand({ CiphertextBlob }))
    const first = await sdk.send(new ListKeyRotationsCommand({ KeyId, Limit: 1 }))
    expect(first).toMatchObject({ Truncated: true, Rotations: [{ RotationType: 'ON_DEMAND' }] })
    const Marker = first.NextMarker
    const rest = await sdk.send(new ListKeyRotationsCommand({ KeyId, Limit: 1, Marker }))
    expect(rest).toMatchObject({ Truncated: false, Rotations: [{ RotationType: 'AUTOMATIC' }] })
  })

  test('shares material between replicas, and state it does not', async () => {
    const { KeyMetadata } = await sdk.send(new CreateKeyCommand({ MultiRegion: true }))
    const KeyId = KeyMetadata!.Arn!
    await sdk.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' }))
    const { CiphertextBlob } = await sdk.send(new EncryptCommand({ KeyId, Plaintext }))
    await sdk.send(new ScheduleKeyDeletionCommand({ KeyId }))
    const there = await client(west.url, 'eu-west-1').send(new DecryptCommand({ CiphertextBlob }))
    expect(there.KeyId).toBe(KeyId.replace('eu-central-1', 'eu-west-1'))
    const here = sdk.send(new DecryptCommand({ CiphertextBlob }))
    await expect(here).rejects.toMatchObject({ name: 'KMSInvalidStateException' })
  })

  test('leaves a key disabled whose deletion was cancelled', async () => {
    const KeyId = kms.createKey()
    await sdk.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
    await sdk.send(new CancelKeyDeletionCommand({ KeyId }))
    const disabled = await sdk.send(new DescribeKeyCommand({ KeyId }))
    expect(disabled.KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false })
    await sdk.send(new EnableKeyCommand({ KeyId }))
    await sdk.send(new EncryptCommand({ KeyId, Plaintext }))
  })

  test('takes aliases where AWS does, and nowhere else', async () => {
    const TargetKeyId = kms.createKey()
    const KeyId = 'alias/known'
    await sdk.send(new CreateAliasCommand({ AliasName: KeyId, TargetKeyId }))
    await sdk.send(new EncryptCommand({ KeyId, Plaintext }))
    const refused = sdk.send(new GetKeyRotationStatusCommand({ KeyId }))
    await expect(refused).rejects.toMatchObject({ name: 'NotFoundException' })
    const twice = sdk.send(new CreateAliasCommand({ AliasName: KeyId, TargetKeyId }))
    await expect(twice).rejects.toMatchObject({ name: 'AlreadyExistsException' })
  })

  test('runs as a process of its own, told to fail over HTTP', async () => {
    const main = fileURLToPath(new URL('../src/kms/main.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', main], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    const { url, alias, keyArn } = JSON.parse(line)
    const there = client(url)
    const encrypt = (): Promise<{ KeyId?: string | undefined }> =>
      there.send(new EncryptCommand({ KeyId: alias, Plaintext }))
    expect((await encrypt()).KeyId).toBe(keyArn)
    const post = async (path: string, body?: object): Promise<any> =>
      (await fetch(`${url}/-/${path}`, { method: 'POST', body: JSON.stringify(body) })).json()
    await post('fail', { kind: 'throttle', operation: 'Encrypt' })
    await expect(encrypt()).rejects.toMatchObject({ name: 'ThrottlingException' })
    await post('recover')
    await encrypt()
    expect((await post('calls')).map((call: any) => call.operation)).toHaveLength(3)
    child.stdin.end()
    expect((await once(child, 'exit'))[0]).toBe(0)
  })
})
