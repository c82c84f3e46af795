import { describe, expect, test } from 'vitest'
import { decodeKeyring, encodeKeyring } from '../../../src/keys/stores/document.ts'
import { decodeStore, encodeStore } from '../../../src/keys/stores/file-document.ts'
import type { KeyringSnapshot } from '../../../src/keys/types.ts'
import { rowOf, writeOf } from '../support.ts'

function snapshot(keyring: string, ...keyIds: readonly number[]): KeyringSnapshot {
  const keys = keyIds.map((keyId, i) => rowOf(keyId, { keyring, version: i + 1 }))
  return { head: writeOf(null, { rows: keys }).head, keys }
}

const KEYRING = snapshot('default', 7, 9)
const refusal = (code: string, message: RegExp): object =>
  expect.objectContaining({
    code,
    message: expect.stringMatching(message),
    fix: expect.any(String),
  })

describe('a keyring as a document', () => {
  const edited = (edit: (document: any) => unknown): string => {
    const document = JSON.parse(encodeKeyring(KEYRING))
    const changed = edit(document)
    return JSON.stringify(changed === undefined ? document : changed)
  }
  const opened = (text: string): KeyringSnapshot => decodeKeyring('default', text, (id) => id * 10)

  test('comes back as it was, with the uses that are kept elsewhere', () => {
    const text = encodeKeyring(KEYRING)
    expect(encodeKeyring(opened(text))).toBe(text)
    expect(opened(text).keys.map(({ uses }) => uses)).toEqual([70, 90])
  })

  test.each<[string, RegExp, (document: any) => unknown]>([
    ['that is a number', /Its head is no object/, () => 7],
    ['that is a list', /Its head is no object/, () => [1]],
    ['that is null', /Its head is no object/, () => null],
    ['of another keyring', /Its head .* keyring/, (d) => ({ ...d, keyring: 'other' })],
    [
      'without a revision',
      /Its head .* revision/,
      (d) => {
        delete d.revision
      },
    ],
    ['with half a revision', /Its head .* revision/, (d) => ({ ...d, revision: 0.5 })],
    ['whose active key is a text', /Its head .* activeKeyId/, (d) => ({ ...d, activeKeyId: '7' })],
    ['whose indexes are an object', /Its head .* indexes/, (d) => ({ ...d, indexes: {} })],
    ['whose digests are a text', /Its head .* digests/, (d) => ({ ...d, digests: 'x' })],
    ['whose keys are null', /Its head .* keys/, (d) => ({ ...d, keys: null })],
    ['whose MAC is a number', /Its head .* mac\./, (d) => ({ ...d, mac: 7 })],
    ['whose MAC is no base64', /Its head .* mac\./, (d) => ({ ...d, mac: 'a b' })],
    ['whose MAC key is a list', /Its head is no object/, (d) => ({ ...d, macKey: [] })],
    ['with a key that is null', /A key is no object/, (d) => ({ ...d, keys: [null] })],
    ['with a key that is a text', /A key is no object/, (d) => ({ ...d, keys: ['7'] })],
    ['with a field too many', /not in the form/, (d) => ({ ...d, more: 1 })],
  ])('%s is refused, and said where', (_, message, edit) => {
    expect(() => opened(edited(edit))).toThrow(refusal('ERR_STORE_TAMPERED', message))
  })

  test('with white space is refused', () => {
    const text = `${encodeKeyring(KEYRING)} `
    expect(() => opened(text)).toThrow(refusal('ERR_STORE_TAMPERED', /not in the form/))
  })

  test.each<[string, unknown]>([
    ['version', '2'],
    ['state', 'lost'],
    ['state', 3],
    ['suite', null],
    ['rootKeyId', 5],
    ['wrappedKek', 'not base64'],
    ['checkValue', null],
    ['createdAt', null],
    ['createdAt', 9e15],
    ['activatedAt', '2026'],
    ['suspendedAt', 9e15],
    ['compromisedAt', {}],
    ['destroyAt', 0.5],
    ['stateAt', null],
    ['rewrappedFrom', 7],
  ])('with a key whose %s is %j is refused, and said where', (name, value) => {
    const text = edited((d) => void (d.keys[1][name] = value))
    const where = new RegExp(`Key 9 has something else than expected in ${name}\\. `)
    expect(() => opened(text)).toThrow(refusal('ERR_STORE_TAMPERED', where))
  })

  test('that is no JSON is refused without a word of it', () => {
    expect(() => opened('secret {')).toThrow(refusal('ERR_STORE_TAMPERED', /^(?!.*secret)/s))
  })
})

describe('a file of keyrings', () => {
  const content = {
    keyrings: new Map([
      ['zeta', snapshot('zeta', 4, 2)],
      ['alpha', snapshot('alpha', 3, 11)],
    ]),
  }
  const text = encodeStore(content)
  const edited = (edit: (document: any) => unknown): string => {
    const document = JSON.parse(text)
    const changed = edit(document)
    return `${JSON.stringify(changed === undefined ? document : changed, null, 1)}\n`
  }
  const nonsense = refusal('ERR_STORE_TAMPERED', /file key store holds something else/)

  test('has keyrings by name and uses by key id, whatever came first', () => {
    const { keyrings, uses } = JSON.parse(text)
    expect(keyrings.map(({ keyring }: any) => keyring)).toEqual(['alpha', 'zeta'])
    expect(uses.map(([keyId]: [number]) => keyId)).toEqual([2, 3, 4, 11])
    expect(encodeStore(decodeStore(text, 'file key store'))).toBe(text)
  })

  test.each([1, 3])('of format %i is of another version of Rowseal', (format) => {
    const given = edited((d) => void (d.format = format))
    const newer = refusal('ERR_STORE_NEWER', new RegExp(`file key store .* format ${format}`))
    expect(() => decodeStore(given, 'file key store')).toThrow(newer)
  })

  test.each<[string, (document: any) => unknown]>([
    ['that is a number', () => 7],
    ['that is a text', () => 'text'],
    ['that is null', () => null],
    ['that is a list', () => []],
    [
      'of no format',
      (d) => {
        delete d.format
      },
    ],
    ['of half a format', (d) => ({ ...d, format: 2.5 })],
    ['whose keyrings are an object', (d) => ({ ...d, keyrings: {} })],
    [
      'without keyrings',
      (d) => {
        delete d.keyrings
      },
    ],
    ['whose uses are an object', (d) => ({ ...d, uses: {} })],
    ['with a keyring that is null', (d) => ({ ...d, keyrings: [null] })],
    ['with a keyring that has a number for a name', (d) => void (d.keyrings[0].keyring = 7)],
    ['with uses that are no pair', (d) => void d.uses.push(null)],
    ['with uses of half a use', (d) => void (d.uses[0][1] = 0.5)],
    ['with uses as a text', (d) => void (d.uses[0][1] = '0')],
    ['without the uses of a key', (d) => void d.uses.shift()],
    ['with the uses in another order', (d) => void d.uses.reverse()],
    ['with the keyrings in another order', (d) => void d.keyrings.reverse()],
  ])('%s is not as it was written', (_, edit) => {
    expect(() => decodeStore(edited(edit), 'file key store')).toThrow(nonsense)
  })

  test('in which two keyrings have the same key is not as it was written', () => {
    const keyrings = new Map([
      ['a', snapshot('a', 5)],
      ['b', snapshot('b', 5)],
    ])
    expect(() => decodeStore(encodeStore({ keyrings }), 'file key store')).toThrow(nonsense)
  })

  test('that is no JSON is refused without a word of it', () => {
    const said = refusal('ERR_STORE_TAMPERED', /^(?!.*secret)/s)
    expect(() => decodeStore('secret {', 'file key store')).toThrow(said)
  })
})
