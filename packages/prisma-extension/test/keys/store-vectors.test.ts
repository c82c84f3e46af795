import { execFileSync } from 'node:child_process'
import { createHmac, createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { digestOf, digestsOf, StoreMac } from '../../src/keys/reading/authentic.ts'
import { checkSnapshot } from '../../src/keys/reading/snapshot.ts'
import { decodeKeyring, encodeKeyring } from '../../src/keys/stores/document.ts'
import type { KeyringSnapshot, KeyRow, RootKey } from '../../src/keys/types.ts'
import { delegating, newRoot } from './support.ts'

const ROOT = new URL('../../../../', import.meta.url)
const vectors = JSON.parse(readFileSync(new URL('vectors/key-store-v2.json', ROOT), 'utf8'))
const spec = readFileSync(new URL('docs/spec/key-store-v2.md', ROOT), 'utf8')

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const time = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))

function without(given: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)))
}

function rowOf(given: any): KeyRow {
  const row = without(given, ['kek', 'text', 'digest']) as any
  return {
    ...row,
    wrappedKek: bytes(row.wrappedKek),
    checkValue: bytes(row.checkValue),
    createdAt: new Date(row.createdAt),
    activatedAt: time(row.activatedAt),
    suspendedAt: time(row.suspendedAt),
    compromisedAt: time(row.compromisedAt),
    destroyAt: time(row.destroyAt),
    stateAt: new Date(row.stateAt),
    uses: 0,
  }
}

function snapshotOf({ head, rows }: any): KeyringSnapshot {
  const { mac, macKey } = head
  const rest = without(head, ['text']) as any
  return {
    head: { ...rest, mac: bytes(mac), macKey: { ...macKey, wrapped: bytes(macKey.wrapped) } },
    keys: rows.map(rowOf),
  }
}

/** A root key that unwraps the MAC key of a vector. */
function rootOf(key: string): RootKey {
  return { ...delegating(newRoot()), unwrap: () => Promise.resolve(Buffer.from(key, 'hex')) }
}

async function refuse({ keyring, key, document }: any): Promise<void> {
  const raw = decodeKeyring(keyring, document, () => 0)
  checkSnapshot(keyring, raw)
  await new StoreMac(keyring, rootOf(key)).assertAuthentic(raw, 0)
}

describe('keyrings of the vectors', () => {
  test.each<any>(vectors.accept)(
    'have the digests, the MAC and the document of $name',
    async (given) => {
      const snapshot = snapshotOf(given)
      expect(snapshot.keys.map(digestOf)).toEqual(given.rows.map((row: any) => row.digest))
      expect(digestsOf(snapshot.keys)).toEqual(given.head.digests)
      const mac = new StoreMac(given.head.keyring, rootOf(given.key))
      expect(Buffer.from((await mac.sign(snapshot.head)).mac).toString('hex')).toBe(given.head.mac)
      expect(encodeKeyring(snapshot)).toBe(given.document)
      expect(decodeKeyring(given.head.keyring, given.document, () => 0)).toEqual(snapshot)
      await refuse({ keyring: given.head.keyring, key: given.key, document: given.document })
    },
  )

  test.each<any>(vectors.accept)('have the check values of $name', ({ rows }) => {
    for (const { kek, keyId, keyring, checkValue } of rows) {
      const number = Buffer.alloc(4)
      number.writeUInt32BE(keyId)
      const hmac = createHmac('sha256', createSecretKey(bytes(kek)))
      expect(hmac.update('rowseal/v1/check').update(number).update(keyring).digest('hex')).toBe(
        checkValue,
      )
    }
  })
})

test.each<any>(vectors.reject)('refuses $name: $reason', async (given) => {
  await expect(refuse(given)).rejects.toMatchObject({ code: 'ERR_STORE_TAMPERED' })
})

test('every rule of the specification has a vector, and every vector a rule', () => {
  const rules = [
    ...spec
      .split('\n## ')
      .find((part) => part.startsWith('Reading'))!
      .matchAll(/^\| `([a-z]+)` +\|/gm),
  ].map(([, rule]) => rule)
  expect(new Set(vectors.reject.map(({ rule }: any) => rule))).toEqual(new Set(rules))
})

test('the vectors are what their program makes', () => {
  const make = fileURLToPath(new URL('vectors/make-key-store.mjs', ROOT))
  expect(() => execFileSync(process.execPath, [make, '--check'])).not.toThrow()
})
