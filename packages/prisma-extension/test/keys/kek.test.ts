import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { KeyError } from '../../src/errors.ts'
import { dekAad } from '../../src/keys/memory/dek-wrap.ts'
import { createKek, fromRoot, openKek, unanswered } from '../../src/keys/memory/kek.ts'
import type { KeyRow, RootKey, WrapContext } from '../../src/keys/types.ts'
import { DENIAL } from './roots.ts'
import { delegating, newRoot, rowOf } from './support.ts'

const context: WrapContext = { keyring: 'default', keyId: 7, use: 'kek' }
const mismatch = { code: 'ERR_KEY_MISMATCH', fix: expect.stringContaining('give the right one') }

/** A root key whose keys a test may replace, and every key that it gave out. */
function watched(replace: (key: Buffer) => Buffer = (key) => key) {
  const inner = newRoot()
  const given: Buffer[] = []
  const noted = (key: Buffer): Buffer => {
    const replaced = replace(key)
    given.push(replaced)
    return replaced
  }
  const root: RootKey = {
    ...delegating(inner),
    create: async (context) => {
      const made = await inner.create(context)
      return { ...made, key: noted(made.key) }
    },
    unwrap: async (...args) => noted(await inner.unwrap(...args)),
  }
  return { root, inner, areZeroed: () => given.map((key) => key.every((byte) => byte === 0)) }
}

const rowWith = async (root: RootKey): Promise<KeyRow> => ({
  ...rowOf(7),
  ...(await createKek(root, context)),
})

describe('a KEK', () => {
  test('is made and unwrapped for its key id, and its bytes are zeroed each time', async () => {
    const { root, areZeroed } = watched()
    const row = await rowWith(root)
    const kek = await openKek(root, row)
    expect([kek.keyId, kek.key.symmetricKeySize]).toEqual([7, 32])
    expect(Buffer.from(kek.aad)).toEqual(Buffer.from(dekAad(7)))
    expect(areZeroed()).toEqual([true, true])
  })

  test.each([16, 31, 33])('of %i bytes is refused, and zeroed', async (length) => {
    const { root, inner, areZeroed } = watched(() => randomBytes(length))
    await expect(createKek(root, context)).rejects.toMatchObject({
      ...mismatch,
      message: expect.stringContaining(`key 7, keyring "default", has ${length} bytes`),
    })
    await expect(openKek(root, await rowWith(inner))).rejects.toMatchObject(mismatch)
    expect(areZeroed()).toEqual([true, true])
  })

  test('that does not fit its check value is refused, and zeroed', async () => {
    const { root, areZeroed } = watched()
    const row = await rowWith(root)
    const wrong = [randomBytes(32), row.checkValue.subarray(1), new Uint8Array()]
    for (const checkValue of wrong)
      await expect(openKek(root, { ...row, checkValue })).rejects.toMatchObject({
        ...mismatch,
        message: expect.stringContaining('does not fit its check value'),
      })
    expect(areZeroed()).toEqual([true, true, true, true])
  })
})

describe('what a root key throws', () => {
  test('stays if it is an answer, and is an outage else', async () => {
    const root = newRoot()
    await expect(fromRoot(root, () => Promise.reject(DENIAL))).rejects.toBe(DENIAL)
    const cause = new Error('refused')
    await expect(fromRoot(root, () => Promise.reject(cause))).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      retryable: true,
      cause,
      fix: 'See the cause, and try again.',
    })
  })

  test('is told with when, and points to a cause only if there is one', () => {
    const late = unanswered('local', undefined, ' in time')
    expect(late).toBeInstanceOf(KeyError)
    expect([late.message, late.cause]).toEqual([
      'The root key (local) gave no answer in time. Try again.',
      undefined,
    ])
    expect(unanswered('local', new Error('x')).message).toContain('gave no answer. See the cause')
  })
})
