import {
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  type KeyMetadata,
  type KeyState,
} from '@aws-sdk/client-kms'
import { KeyError } from '../../errors.ts'
import type { RootKeyInfo } from '../types.ts'
import { parseKeyArn } from './aws-kms-arn.ts'
import type { AwsClients, Send } from './aws-kms-client.ts'
import { strange } from './aws-kms-keys.ts'
import type { Place } from './aws-kms-places.ts'

const MIN_DAYS = 90
const MAX_DAYS = 2560
const PAGE = 1000
/** Of rotations: AWS keeps one a quarter and 25 on demand, so this is never reached. */
const MAX_PAGES = 10

/** KMS's states in our words. Keys that are `Updating` their primary region can be used. */
const STATES: Readonly<Partial<Record<KeyState, RootKeyInfo['state']>>> = {
  Enabled: 'enabled',
  Updating: 'enabled',
  Disabled: 'disabled',
  PendingDeletion: 'pending-deletion',
  PendingReplicaDeletion: 'pending-deletion',
}

/** State and rotation of a key, by whatever it is named. */
export async function describeKey(clients: AwsClients, place: Place): Promise<RootKeyInfo> {
  const { arn, metadata } = await metadataOf(clients, place)
  const state = STATES[metadata.KeyState ?? 'Unavailable'] ?? 'unavailable'
  return {
    rootKeyId: arn,
    state,
    region: place.region,
    deletionAt: metadata.DeletionDate ?? null,
    rotation: await rotationOf(clients, { ...place, keyId: arn }),
  }
}

/** Where a key is rotated: itself, or the primary key of a multi-Region one. */
export async function primaryOf(clients: AwsClients, place: Place): Promise<Place> {
  const { arn, metadata } = await metadataOf(clients, place)
  const { Arn: keyId = arn, Region: region = place.region } =
    metadata.MultiRegionConfiguration?.PrimaryKey ?? {}
  return { keyId, region }
}

/** @throws {TypeError} for days out of bounds. */
export async function rotateKey(
  clients: AwsClients,
  place: Place,
  how: { readonly automaticDays: number } | 'now',
): Promise<void> {
  const KeyId = place.keyId
  if (how === 'now') {
    const now = new RotateKeyOnDemandCommand({ KeyId })
    await call(clients, 'RotateKeyOnDemand', place, (client, options) => client.send(now, options))
    return
  }
  const enable = new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: how.automaticDays })
  await call(clients, 'EnableKeyRotation', place, (client, options) => client.send(enable, options))
}

export function assertHow(how: { readonly automaticDays: number } | 'now'): void {
  if (how === 'now') return
  const { automaticDays: days } = how
  if (Number.isInteger(days) && days >= MIN_DAYS && days <= MAX_DAYS) return
  throw new TypeError(`automaticDays must be a whole number from ${MIN_DAYS} to ${MAX_DAYS}`)
}

async function metadataOf(
  clients: AwsClients,
  place: Place,
): Promise<{ arn: string; metadata: KeyMetadata }> {
  const command = new DescribeKeyCommand({ KeyId: place.keyId })
  const answer = await call(clients, 'DescribeKey', place, (client, options) =>
    client.send(command, options),
  )
  const metadata = answer.KeyMetadata
  const arn = parseKeyArn(metadata?.Arn ?? '')
  if (metadata !== undefined && arn?.region === place.region) return { arn: arn.arn, metadata }
  throw strange({ operation: 'DescribeKey', ...place, subject: null })
}

/** Null for a key that KMS does not rotate, by its kind or in its present state. */
async function rotationOf(clients: AwsClients, place: Place): Promise<RootKeyInfo['rotation']> {
  const command = new GetKeyRotationStatusCommand({ KeyId: place.keyId })
  try {
    const status = await call(clients, 'GetKeyRotationStatus', place, (client, options) =>
      client.send(command, options),
    )
    return {
      isAutomatic: status.KeyRotationEnabled ?? false,
      periodDays: status.RotationPeriodInDays ?? null,
      nextAt: status.NextRotationDate ?? null,
      lastAt: await lastRotation(clients, place),
    }
  } catch (error) {
    if (isOneOf(error, NO_ROTATION)) return null
    throw error
  }
}

const NO_ROTATION = ['ERR_ROOT_KEY_INVALID', 'ERR_ROOT_KEY_DISABLED', 'ERR_ROOT_KEY_DELETION']

/** Null also without the permission `kms:ListKeyRotations`, which nothing else needs. */
async function lastRotation(clients: AwsClients, place: Place): Promise<Date | null> {
  let last: Date | null = null
  let Marker: string | undefined
  try {
    for (let page = 0; page < MAX_PAGES; page++) {
      const input = { KeyId: place.keyId, Limit: PAGE, ...(Marker === undefined ? {} : { Marker }) }
      const command = new ListKeyRotationsCommand(input)
      const answer = await call(clients, 'ListKeyRotations', place, (client, options) =>
        client.send(command, options),
      )
      for (const { RotationDate: at } of answer.Rotations ?? [])
        if (at !== undefined && (last === null || at > last)) last = at
      Marker = answer.NextMarker
      if (Marker === undefined) break
    }
    return last
  } catch (error) {
    if (isOneOf(error, ['ERR_ROOT_KEY_DENIED', ...NO_ROTATION])) return null
    throw error
  }
}

function isOneOf(error: unknown, codes: readonly string[]): boolean {
  return error instanceof KeyError && codes.includes(error.code)
}

function call<T>(clients: AwsClients, operation: string, place: Place, send: Send<T>): Promise<T> {
  return clients.call({ operation, ...place, subject: null }, send, () => undefined)
}
