import { describe, expect, it } from 'vitest'
import { checkFences, checkVersions, type Head, type Sighting } from '../checker/versions.ts'

const seen = (writer: string, keyId: number, us: number, cell = 'Note.text of 1'): Sighting => ({
  ...{ cell, writer, keyId, us },
})
const heads = (...keyIds: number[]): Head[] => keyIds.map((keyId, i) => ({ keyId, us: i * 10 }))

describe('key versions of values', () => {
  it('go up when they are re-encrypted', () => {
    expect(checkVersions([seen('a', 1, 1), seen('a', 2, 11)], heads(1, 2), [])).toEqual([])
  })

  it('may go back when another write comes, of an instance that is late', () => {
    expect(checkVersions([seen('a', 2, 11), seen('b', 1, 12)], heads(1, 2), [])).toEqual([])
  })

  it('may not go back otherwise', () => {
    const back = [seen('a', 2, 11), seen('a', 1, 12)]
    expect(checkVersions(back, heads(1, 2), [])).toMatchObject([
      { what: 'Note.text of 1, written by a, went from key 2 back to key 1' },
    ])
  })

  it('are of one field of one record each', () => {
    const two = [seen('a', 2, 11), seen('a', 1, 12, 'Note.phone of 1')]
    expect(checkVersions(two, heads(1, 2), [])).toEqual([])
  })

  it('may go back to a version that was made active again', () => {
    const back = [seen('a', 2, 11), seen('a', 1, 22)]
    expect(checkVersions(back, heads(1, 2, 1), [])).toEqual([])
    expect(checkVersions(back, heads(1, 2), [{ keyId: 1, us: 20 }])).toEqual([])
  })

  it('may not go back to one before that was so, or for another', () => {
    const back = [seen('a', 2, 11), seen('a', 1, 22)]
    expect(checkVersions(back, heads(1, 2), [{ keyId: 1, us: 23 }])).toHaveLength(1)
    expect(checkVersions(back, heads(1, 2, 3), [{ keyId: 3, us: 20 }])).toHaveLength(1)
    expect(checkVersions(back, heads(2, 3), [])).toHaveLength(1)
  })
})

describe('a fenced key version', () => {
  const present = [
    { startUs: 10, keyIds: [1, 2] },
    { startUs: 20, keyIds: [2] },
    { startUs: 30, keyIds: [2, 3] },
  ]

  it('may be there before, and while the fence is put up', () => {
    expect(checkFences(present, [{ keyId: 1, us: 15 }])).toEqual([])
    expect(checkFences(present, [{ keyId: 1, us: 10 }])).toEqual([])
  })

  it('may not be there after', () => {
    expect(checkFences(present, [{ keyId: 2, us: 25 }])).toMatchObject([
      { what: 'a value was under key 2 after it was drained and fenced' },
    ])
  })
})
