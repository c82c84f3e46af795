import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { sealText } from '@rowseal/prisma-extension/envelope'
import { expect, it } from 'vitest'
import { checkEvents } from '../checks.ts'
import { eventsOf } from '../history.ts'
import { secretsOf, type KeyCollector } from '../keys.ts'
import type { Observer } from '../observer.ts'

const NOTHING_SEEN = { sightings: [], present: [], heads: [], envelopes: new Set<string>() }

const problems = (kind: string, detail: object): string[] => {
  const lines = [
    { at: 'start', n: 1, us: 10, kind },
    { at: 'end', n: 1, us: 20, outcome: 'ok', detail },
  ]
  const events = eventsOf('app', lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return checkEvents(events, NOTHING_SEEN as unknown as Observer).map(({ what }) => what)
}

it('an index that finds what is there is as it should be, and one that misses a row is not', () => {
  const detail = { field: 'phone', found: 0, expected: 1 }
  expect(problems('compare', { ...detail, isRight: true })).toEqual([])
  expect(problems('compare', { ...detail, isRight: false })).toEqual([
    'app found 0 rows by phone where 1 have it',
  ])
})

it('a search that finds another value, or two rows of what is unique, is found', () => {
  expect(problems('search', { found: 1, isRight: true })).toEqual([])
  expect(problems('search', { found: 1, isRight: false })).toHaveLength(1)
  expect(problems('search', { found: 2, isRight: true })).toHaveLength(1)
})

it('DEKs that are looked for are those that sealed what was seen', () => {
  const [keyId, kek, dek] = [7, randomBytes(32), randomBytes(32)]
  const id = Buffer.from([0x01, 0, 0, 0, keyId])
  const nonce = randomBytes(12)
  const wrapping = createCipheriv('aes-256-gcm', kek, nonce)
  wrapping.setAAD(Buffer.concat([Buffer.from('rowseal/v1/dek'), id]))
  const sealed = Buffer.concat([wrapping.update(dek), wrapping.final()])
  const wrapped = Buffer.concat([nonce, sealed, wrapping.getAuthTag()])
  const parts = { keyId, suite: 0x01, wrapped, key: createSecretKey(dek) } as const
  const envelope = sealText(parts, Buffer.from('aad'), Buffer.from('text'), randomBytes(12))
  const collector = { keys: new Map([[keyId, kek]]), macs: new Map(), wrapped: new Map() }
  const { keys } = secretsOf(collector as unknown as KeyCollector, new Set([envelope]))
  expect(keys).toEqual(
    new Map([
      ['key 7', kek],
      ['DEK 0', dek],
    ]),
  )
})
