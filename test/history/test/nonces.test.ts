import { createSecretKey, randomBytes } from 'node:crypto'
import { sealText } from '@rowseal/prisma-extension/envelope'
import { expect, it } from 'vitest'
import { checkNonces } from '../checker/nonces.ts'

const key = createSecretKey(randomBytes(32))
const wrapNonce = randomBytes(12)

function sealed(wrapped: Buffer, nonce: Buffer, text: string): string {
  const aad = Buffer.from('aad')
  return sealText({ keyId: 7, suite: 0x01, wrapped, key }, aad, Buffer.from(text), nonce)
}

const problems = (...texts: readonly string[]): string[] =>
  checkNonces(new Set(texts)).map(({ what }) => what)

it('values under nonces of their own, and one value in many rows, are as they should be', () => {
  const wrapped = randomBytes(60)
  const one = sealed(wrapped, randomBytes(12), 'one')
  expect(problems(one, one, sealed(wrapped, randomBytes(12), 'other'))).toEqual([])
})

it('two values of one DEK under one nonce are found, whatever the nonce of other DEKs', () => {
  const [nonce, wrapped] = [randomBytes(12), randomBytes(60)]
  const one = sealed(wrapped, nonce, 'one')
  expect(problems(one, sealed(randomBytes(60), nonce, 'other'))).toEqual([])
  expect(problems(one, sealed(wrapped, nonce, 'other'))).toEqual([
    'a DEK of key 7 has sealed two values under one nonce',
  ])
})

it('two DEKs under one nonce of their KEK are found', () => {
  const wrapped = (): Buffer => Buffer.concat([wrapNonce, randomBytes(48)])
  const [one, other] = [wrapped(), wrapped()]
  expect(
    problems(sealed(one, randomBytes(12), 'one'), sealed(other, randomBytes(12), 'other')),
  ).toEqual(['key 7 has wrapped two DEKs under one nonce'])
})
