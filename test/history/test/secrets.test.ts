import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { Finder, formsOfKey, formsOfText } from '../checker/secrets.ts'

const key = randomBytes(32)
const TEXT = 'AnySentinelAtAll'
const finder = new Finder(new Map([...formsOfKey('KEK 1', key), ...formsOfText(TEXT)]))
const find = (...parts: (string | Buffer)[]): string[] =>
  [...finder.find(Buffer.concat(parts.map((part) => Buffer.from(part))))].sort()

it.each<[string, string | Buffer]>([
  ['raw', key],
  ['in hex', key.toString('hex')],
  ['in upper-case hex', key.toString('hex').toUpperCase()],
  ['in base64', key.toString('base64')],
  ['in base64url', key.toString('base64url')],
  ['as inspected', inspect({ key })],
])('a key is found %s, and so it is called', (form, written) => {
  expect(find(randomBytes(1001), written, randomBytes(99))).toContain(`KEK 1, ${form}`)
})

it.each<[string, string | Buffer]>([
  [`"${TEXT}"`, TEXT],
  [`"${TEXT}" in lower case`, TEXT.toLowerCase()],
  [`"${TEXT}" in UTF-16`, Buffer.from(TEXT, 'utf16le')],
  [`"${TEXT}" in hex`, Buffer.from(TEXT).toString('hex')],
  [`"${TEXT}" in base64, 0 further`, Buffer.from(`${TEXT} and more`).toString('base64')],
  [`"${TEXT}" in base64, 1 further`, Buffer.from(`x${TEXT} and more`).toString('base64')],
  [`"${TEXT}" in base64, 2 further`, Buffer.from(`xy${TEXT} and more`).toString('base64')],
])('a text is found as %s', (name, written) => {
  expect(find(randomBytes(1001), written, randomBytes(99))).toContain(name)
})

it('nothing is found where nothing is', () => {
  expect(find(randomBytes(1 << 20), TEXT.slice(1), key.subarray(1))).toEqual([])
})
