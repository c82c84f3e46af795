import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { awsContext } from '../../packages/prisma-extension/src/keys/providers/aws-kms-keys.ts'

// The programs of docs/open-without-us share nothing with Rowseal but the specification. They must open every
// value of the vectors, and refuse whatever a reader MUST reject, except for what only a field's annotation,
// a key store or a parser of JSON can tell.

const ROOT = new URL('../../', import.meta.url)
const FOLDER = new URL('docs/open-without-us/', ROOT).pathname
const json = (path: string): any => JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'))
const vectors = json('vectors/envelope-v1.json')

const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0
const CRYPTOGRAPHY = 'from cryptography.hazmat.primitives.ciphers.aead import AESGCM'
const python = ['python3', '/usr/bin/python3'].find((name) => works(name, '-c', CRYPTOGRAPHY))

const PROGRAMS = [
  { name: 'Python', command: python, args: [`${FOLDER}open.py`] },
  {
    name: 'Java',
    command: works('java', '-version') ? 'java' : undefined,
    args: [`${FOLDER}Open.java`],
  },
  {
    name: 'Go',
    command: works('go', 'version') ? 'go' : undefined,
    args: ['run', `${FOLDER}open.go`],
  },
]

const utf8 = (hex: string): string => Buffer.from(hex, 'hex').toString('utf8')
const line = (key: string, id: string, text: string, bound: string[]): string =>
  [key, id, text, ...bound.map(utf8)].join('\t')

/** One envelope of each line, through one process. */
function answers(program: (typeof PROGRAMS)[number], lines: string[]): string[] {
  const input = lines.map((one) => `${one}\n`).join('')
  const output = execFileSync(program.command!, program.args, { input, encoding: 'utf8' })
  return output.trimEnd().split(/\r?\n/)
}

const accepted = vectors.accept.map((c: any) => ({
  line: line(c.suite === 1 ? c.kek : c.dek, c.id, c.text, c.bound),
  answer: `${c.type}\t${c.type === 'Bytes' ? c.value : Buffer.from(c.value).toString('hex')}`,
}))

const ELSEWHERE = ['key-unknown', 'key-keyring', 'key-suite', 'codec-type', 'json', 'size']
/** A case that has only bytes, as the same body in text. */
function textOf(c: any): string | null {
  if (typeof c.text === 'string') return c.text
  if (typeof c.bytes !== 'string' || !/^525301\w{8}/.test(c.bytes)) return null
  const body = Buffer.from(c.bytes.slice(14), 'hex').toString('base64url')
  return `rs1.${c.bytes.slice(6, 14)}.${body}`
}

const rejected = vectors.reject
  .map((c: any) => ({ ...c, text: textOf(c) }))
  .filter((c: any) => c.text !== null && !ELSEWHERE.includes(c.rule))
  .map((c: any) => {
    const keyId = parseInt(c.text.slice(4, 12), 16)
    const kek = vectors.keys.find((key: any) => key.keyId === keyId)?.kek
    const key = c.dek ?? kek ?? vectors.keys[1].kek
    return { rule: c.rule, line: line(key, c.id ?? 'Patient.name', c.text, c.bound ?? []) }
  })
  .filter((c: any) => !/[\r\n]/.test(c.line))

for (const program of PROGRAMS) {
  const isMissing = program.command === undefined
  if (isMissing)
    console.warn(`SKIPPED: no ${program.name} here that could run docs/open-without-us.`)

  describe.skipIf(isMissing)(`the program in ${program.name}`, () => {
    it('opens every value of the vectors, and refuses what a reader must reject', () => {
      const given = [...accepted, ...rejected].map((c: any) => c.line)
      const got = answers(program, given)
      expect(got.slice(0, accepted.length)).toEqual(accepted.map((c: any) => c.answer))
      const opened = rejected.filter(
        (_: any, at: number) => got[accepted.length + at] !== 'refused',
      )
      expect(opened.map((c: any) => c.rule)).toEqual([])
      expect(got).toHaveLength(given.length)
    })
  })
}

it('there is a case for every rule that the programs hold', () => {
  const rules = new Set(vectors.reject.map((c: any) => c.rule))
  const held = new Set(rejected.map((c: any) => c.rule))
  expect([...rules].filter((rule) => !held.has(rule)).sort()).toEqual([...ELSEWHERE].sort())
})

it('the Python program is not skipped where everything is required', () => {
  if (process.env['ROWSEAL_REQUIRE_SERVICES'] === '1') expect(python).toBeDefined()
})

it.skipIf(python === undefined)(
  'a KEK is unwrapped from a key store, and opens what is under it',
  () => {
    const golden = 'vectors/golden/0.1.0'
    const { rootKey, inFile } = json(`${golden}/values.json`)
    const { stored, value } = inFile[0]
    const keyId = parseInt(stored.slice(4, 12), 16)
    const ring = json(`${golden}/keys.json`).keyrings.find((one: any) => one.keyring === 'default')
    const { wrappedKek } = ring.keys.find((row: any) => row.keyId === keyId)
    const wrapped = Buffer.from(wrappedKek, 'base64').toString('hex')
    const args = [`${FOLDER}kek.py`, rootKey, 'default', String(keyId), wrapped]
    const kek = execFileSync(python!, args, { encoding: 'utf8' }).trim()
    const [opened] = answers(PROGRAMS[0]!, [line(kek, 'Patient.email', stored, [])])
    expect(opened).toBe(`String\t${Buffer.from(value).toString('hex')}`)
  },
)

it('the specification names the encryption context that the KMS is given for a DEK', () => {
  const spec = readFileSync(new URL('docs/spec/envelope-v1.md', ROOT), 'utf8')
  const said = [...spec.matchAll(/^ {4}"(rowseal:\w+)" +=/gm)].map(([, name]) => name)
  expect(said).toEqual(Object.keys(awsContext({ keyring: 'k', keyId: 42, use: 'dek' })))
})
