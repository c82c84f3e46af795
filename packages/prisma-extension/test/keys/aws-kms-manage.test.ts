import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { assertHow } from '../../src/keys/providers/aws-kms-manage.ts'
import { endpoints, failure, REGION, rootAt } from './aws-support.ts'

// What AWS KMS says of a key, by answers that no key of the server's own has.

const { own } = await endpoints()
afterAll(() => own.stop())
beforeEach(() => {
  own.recover()
  own.forget()
})

/** The next requests of an operation are answered so, one after the other. */
function answers(operation: string, ...bodies: readonly object[]): void {
  for (const body of bodies)
    own.fail({ kind: 'garbage', operation, text: JSON.stringify(body), times: 1 })
}
const day = (date: string): { RotationDate: number } => ({ RotationDate: Date.parse(date) / 1000 })
const described = async (arn: string) => rootAt(own.url, arn, { maxAttempts: 1 }).describe()

describe('the state of a key', () => {
  test.each([
    ['Enabled', 'enabled'],
    ['Updating', 'enabled'],
    ['Disabled', 'disabled'],
    ['PendingDeletion', 'pending-deletion'],
    ['PendingReplicaDeletion', 'pending-deletion'],
    ['PendingImport', 'unavailable'],
    ['Creating', 'unavailable'],
    [undefined, 'unavailable'],
  ])('%s is %s', async (KeyState, state) => {
    const arn = own.createKey()
    answers('DescribeKey', { KeyMetadata: { KeyId: 'x', Arn: arn, KeyState } })
    expect(await described(arn)).toMatchObject({ rootKeyId: arn, region: REGION, state })
  })

  test('has the time of its deletion, or none', async () => {
    const arn = own.createKey()
    expect((await described(arn)).deletionAt).toBeNull()
    const DeletionDate = Date.parse('2026-12-24') / 1000
    answers('DescribeKey', { KeyMetadata: { KeyId: 'x', Arn: arn, DeletionDate } })
    expect((await described(arn)).deletionAt).toEqual(new Date('2026-12-24'))
  })

  test.each<[string, (arn: string) => object]>([
    ['nothing', () => ({})],
    ['no ARN', () => ({ KeyMetadata: { KeyId: 'x' } })],
    ['an alias', (arn) => ({ KeyMetadata: { KeyId: 'x', Arn: arn.replace('key/', 'alias/') } })],
    [
      'another region',
      (arn) => ({ KeyMetadata: { KeyId: 'x', Arn: arn.replace(REGION, 'eu-west-1') } }),
    ],
  ])('is refused where the answer has %s', async (_, answer) => {
    const arn = own.createKey()
    answers('DescribeKey', answer(arn))
    const error = await failure(described(arn))
    expect(error).toMatchObject({ code: 'ERR_KEY_MISMATCH' })
    expect(error.message).toContain(`DescribeKey with ${arn} in ${REGION}`)
  })
})

describe('the rotation of a key', () => {
  test('was last at the latest of all dates, on whichever page', async () => {
    const arn = own.createKey()
    answers(
      'ListKeyRotations',
      { Rotations: [day('2026-01-01'), {}, day('2026-03-01'), day('2026-02-01')], NextMarker: 'm' },
      { NextMarker: 'n' },
      { Rotations: [day('2026-02-15'), day('2026-03-01')] },
    )
    expect((await described(arn)).rotation?.lastAt).toEqual(new Date('2026-03-01'))
    expect(own.count('ListKeyRotations')).toBe(3)
    own.recover()
    answers(
      'ListKeyRotations',
      { Rotations: [day('2026-01-01')], NextMarker: 'm' },
      { Rotations: [day('2026-04-01')] },
    )
    expect((await described(arn)).rotation?.lastAt).toEqual(new Date('2026-04-01'))
  })

  test('is looked for on ten pages at most', async () => {
    const arn = own.createKey()
    own.fail({
      kind: 'garbage',
      operation: 'ListKeyRotations',
      text: JSON.stringify({ Rotations: [day('2026-01-01')], NextMarker: 'more' }),
    })
    expect((await described(arn)).rotation?.lastAt).toEqual(new Date('2026-01-01'))
    expect(own.count('ListKeyRotations')).toBe(10)
  })

  test('that the answer does not tell of is none', async () => {
    const arn = own.createKey()
    answers('GetKeyRotationStatus', { KeyId: arn })
    answers('ListKeyRotations', {})
    expect((await described(arn)).rotation).toEqual({
      isAutomatic: false,
      periodDays: null,
      nextAt: null,
      lastAt: null,
    })
  })

  const NONE = ['UnsupportedOperationException', 'DisabledException', 'KMSInvalidStateException']
  const refused = (operation: string, type: string): void =>
    own.fail({ kind: 'error', operation, type, status: 400, message: 'no' })

  test.each(NONE)('is none where AWS KMS answers %s', async (type) => {
    refused('GetKeyRotationStatus', type)
    expect((await described(own.createKey())).rotation).toBeNull()
  })

  test.each(NONE)('has no last date where the list of them is answered %s', async (type) => {
    refused('ListKeyRotations', type)
    expect((await described(own.createKey())).rotation).toMatchObject({
      isAutomatic: false,
      lastAt: null,
    })
  })

  test('that may not be asked for is a denial, and an outage is one', async () => {
    const arn = own.createKey()
    own.deny('GetKeyRotationStatus')
    const denied = await failure(described(arn))
    expect(denied).toMatchObject({ code: 'ERR_ROOT_KEY_DENIED' })
    expect(denied.message).toContain('kms:GetKeyRotationStatus')
    own.recover()
    own.fail({ kind: 'drop', operation: 'ListKeyRotations' })
    const lost = await failure(described(arn))
    expect(lost).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', retryable: true })
    expect(lost.message).toContain('ListKeyRotations')
  })

  test('is set with the name of the operation in what is denied', async () => {
    const root = rootAt(own.url, own.createKey(), { maxAttempts: 1 })
    own.deny('RotateKeyOnDemand')
    expect((await failure(root.rotate!('now'))).message).toContain('kms:RotateKeyOnDemand')
    own.deny('EnableKeyRotation')
    const automatic = await failure(root.rotate!({ automaticDays: 90 }))
    expect(automatic.message).toContain('kms:EnableKeyRotation')
  })

  test('is automatic every 90 to 2,560 days', () => {
    for (const automaticDays of [90, 365, 2560])
      expect(() => assertHow({ automaticDays })).not.toThrow()
    for (const automaticDays of [0, 89, 2561, 100.5, NaN, '365' as never])
      expect(() => assertHow({ automaticDays })).toThrow('from 90 to 2560')
  })
})
