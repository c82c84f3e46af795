import { KmsError } from './errors.ts'
import { named, seconds, text, wholeNumber, type Call, type Operation } from './protocol.ts'
import { ACCOUNT, type Key } from './world.ts'

const DAY_MS = 86_400_000

function metadataOf(key: Key, call: Call): object {
  return {
    AWSAccountId: ACCOUNT,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: seconds(key.createdAt),
    Enabled: key.isEnabled && key.deletionAt === null,
    Description: '',
    KeyUsage: key.shared.usage,
    KeyState: stateOf(key),
    ...(key.deletionAt === null ? {} : { DeletionDate: seconds(key.deletionAt) }),
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    KeySpec: key.shared.usage === 'ENCRYPT_DECRYPT' ? 'SYMMETRIC_DEFAULT' : 'ECC_NIST_P256',
    MultiRegion: key.isMultiRegion,
    ...(key.isMultiRegion ? { MultiRegionConfiguration: regionsOf(key, call) } : {}),
  }
}

function regionsOf(key: Key, { world }: Call): object {
  const all = [key, ...world.replicasOf(key)].map(({ arn, region }) => ({
    Arn: arn,
    Region: region,
  }))
  const { primaryRegion } = key.shared
  return {
    MultiRegionKeyType: key.region === primaryRegion ? 'PRIMARY' : 'REPLICA',
    PrimaryKey: all.find(({ Region }) => Region === primaryRegion),
    ReplicaKeys: all.filter(({ Region }) => Region !== primaryRegion),
  }
}

function stateOf({ deletionAt, isEnabled }: Key): string {
  if (deletionAt !== null) return 'PendingDeletion'
  return isEnabled ? 'Enabled' : 'Disabled'
}

function createKey(call: Call): object {
  const key = call.world.create(call.region, {
    isMultiRegion: call.input['MultiRegion'] === true,
    usage: call.input['KeyUsage'] === 'SIGN_VERIFY' ? 'SIGN_VERIFY' : 'ENCRYPT_DECRYPT',
  })
  return { KeyMetadata: metadataOf(key, call) }
}

function replicateKey(call: Call): object {
  const replica = call.world.replicate(named(call, 'KeyId', false), text(call, 'ReplicaRegion'))
  return { ReplicaKeyMetadata: metadataOf(replica, call) }
}

function describeKey(call: Call): object {
  const key = named(call, 'KeyId', true)
  call.permit('DescribeKey', key)
  return { KeyMetadata: metadataOf(key, call) }
}

function alias(mustExist: boolean): Operation {
  return (call) => {
    const name = text(call, 'AliasName')
    const key = named(call, 'TargetKeyId', false)
    if (call.world.hasAlias(call.region, name) !== mustExist) {
      throw mustExist
        ? new KmsError('NotFoundException', `Alias ${name} is not found.`)
        : new KmsError('AlreadyExistsException', `Alias ${name} exists already.`)
    }
    call.world.setAlias(call.region, name, key)
    return {}
  }
}

function enable(isEnabled: boolean): Operation {
  return (call) => {
    const key = named(call, 'KeyId', false)
    if (key.deletionAt !== null)
      throw new KmsError('KMSInvalidStateException', `${key.arn} is pending deletion.`)
    key.isEnabled = isEnabled
    return {}
  }
}

function scheduleKeyDeletion(call: Call): object {
  const key = named(call, 'KeyId', false)
  const days =
    call.input['PendingWindowInDays'] === undefined
      ? 30
      : wholeNumber(call, 'PendingWindowInDays', 7, 30)
  key.deletionAt = new Date(Date.now() + days * DAY_MS)
  return {
    KeyId: key.arn,
    DeletionDate: seconds(key.deletionAt),
    KeyState: stateOf(key),
    PendingWindowInDays: days,
  }
}

/** The key is disabled afterwards. */
function cancelKeyDeletion(call: Call): object {
  const key = named(call, 'KeyId', false)
  if (key.deletionAt === null)
    throw new KmsError('KMSInvalidStateException', `${key.arn} is not pending deletion.`)
  key.deletionAt = null
  key.isEnabled = false
  return { KeyId: key.arn }
}

export const MANAGEMENT: Readonly<Record<string, Operation>> = {
  CreateKey: createKey,
  ReplicateKey: replicateKey,
  DescribeKey: describeKey,
  CreateAlias: alias(false),
  UpdateAlias: alias(true),
  EnableKey: enable(true),
  DisableKey: enable(false),
  ScheduleKeyDeletion: scheduleKeyDeletion,
  CancelKeyDeletion: cancelKeyDeletion,
}
