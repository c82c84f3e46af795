import { randomBytes } from 'node:crypto'
import { KmsError } from './errors.ts'
import { named, seconds, usable, wholeNumber, type Call, type Operation } from './protocol.ts'
import type { Key } from './world.ts'

const DAY_MS = 86_400_000
const MAX_ON_DEMAND = 25

/** New material for what is encrypted from now on; what was encrypted before goes on decrypting. */
export function rotateKey({ shared }: Key, type: 'AUTOMATIC' | 'ON_DEMAND'): void {
  shared.material.versions.push(randomBytes(32))
  shared.rotations.push({ at: new Date(), type })
}

/** Rotation is set on the primary key of a multi-Region one. */
function rotatable(call: Call, action: string): Key {
  const key = named(call, 'KeyId', false)
  call.permit(action, key)
  usable(key)
  if (key.region !== key.shared.primaryRegion)
    throw new KmsError('UnsupportedOperationException', `${key.arn} is a replica.`)
  return key
}

function enableKeyRotation(call: Call): object {
  const key = rotatable(call, 'EnableKeyRotation')
  const days = call.input['RotationPeriodInDays']
  key.shared.rotationDays =
    days === undefined ? 365 : wholeNumber(call, 'RotationPeriodInDays', 90, 2560)
  key.shared.rotationSince = new Date()
  return {}
}

function disableKeyRotation(call: Call): object {
  rotatable(call, 'DisableKeyRotation').shared.rotationDays = null
  return {}
}

function getKeyRotationStatus(call: Call): object {
  const key = named(call, 'KeyId', false)
  call.permit('GetKeyRotationStatus', key)
  if (key.shared.usage !== 'ENCRYPT_DECRYPT')
    throw new KmsError('UnsupportedOperationException', `${key.arn} does not rotate.`)
  const { rotationDays, rotationSince } = key.shared
  if (rotationDays === null || key.deletionAt !== null)
    return { KeyId: key.arn, KeyRotationEnabled: false }
  return {
    KeyId: key.arn,
    KeyRotationEnabled: true,
    RotationPeriodInDays: rotationDays,
    NextRotationDate: seconds(rotationSince) + (rotationDays * DAY_MS) / 1000,
  }
}

function rotateKeyOnDemand(call: Call): object {
  const key = rotatable(call, 'RotateKeyOnDemand')
  const used = key.shared.rotations.filter(({ type }) => type === 'ON_DEMAND').length
  if (used >= MAX_ON_DEMAND)
    throw new KmsError('LimitExceededException', `${key.arn} was rotated ${used} times.`)
  rotateKey(key, 'ON_DEMAND')
  return { KeyId: key.arn }
}

/** Pages of `Limit`, 100 unless said; the marker is the number of those before. */
function listKeyRotations(call: Call): object {
  const key = named(call, 'KeyId', false)
  call.permit('ListKeyRotations', key)
  const { Limit: limit = 100, Marker: marker = '0' } = call.input
  const end = Number(marker) + Number(limit)
  const all = key.shared.rotations
  return {
    Rotations: all.slice(Number(marker), end).map(({ at, type }) => ({
      KeyId: key.arn,
      RotationDate: seconds(at),
      RotationType: type,
    })),
    Truncated: end < all.length,
    ...(end < all.length ? { NextMarker: String(end) } : {}),
  }
}

export const ROTATION: Readonly<Record<string, Operation>> = {
  EnableKeyRotation: enableKeyRotation,
  DisableKeyRotation: disableKeyRotation,
  GetKeyRotationStatus: getKeyRotationStatus,
  RotateKeyOnDemand: rotateKeyOnDemand,
  ListKeyRotations: listKeyRotations,
}
