import { execFile } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import {
  openEnvelope,
  parseBytes,
  parseText,
  sealBytes,
  sealText,
  valueAad,
} from '@rowseal/prisma-extension/envelope'
import {
  createDeks,
  dekAad,
  NoncePool,
  unwrapDek,
  type Kek,
} from '@rowseal/prisma-extension/keys/dek-wrap'
import { afterEach, describe, expect, it } from 'vitest'
import type { ReencryptJob } from '../src/threads/job.ts'
import { CipherThreads } from '../src/threads/threads.ts'

const IDS = ['Note.title', 'Note.scan']
const nonces = new NoncePool()
const open: CipherThreads[] = []

afterEach(async () => {
  for (const threads of open.splice(0)) await threads.close()
})

const threadsOf = (count: number): CipherThreads => {
  const threads = new CipherThreads(count)
  open.push(threads)
  return threads
}

const kekOf = (keyId: number): Kek => {
  return { keyId, key: createSecretKey(randomBytes(32)), aad: dekAad(keyId) }
}

/** What a record is bound to: every other one to its number. */
const boundOf = (record: number): readonly string[] | null =>
  record % 2 === 0 ? null : [String(record)]

const aadOf = (record: number, field: number): Uint8Array =>
  valueAad(
    0x01,
    IDS[field]!,
    boundOf(record)?.map((text) => Buffer.from(text)),
  )

/** Records of a text and of bytes. */
function jobOf(count: number): { readonly job: ReencryptJob; readonly plain: readonly Buffer[] } {
  const [from, sealing] = [kekOf(1), kekOf(2)]
  const values: (string | Uint8Array)[] = []
  const places: { readonly record: number; readonly field: number }[] = []
  const plain: Buffer[] = []
  for (let record = 0; record < count; record++) {
    const [dek] = createDeks(from, 1, nonces)
    for (const [field, seal] of [sealText, sealBytes].entries()) {
      const bytes = randomBytes(1 + ((record * 7) % 100))
      values.push(seal(dek!, aadOf(record, field), bytes))
      places.push({ record, field })
      plain.push(bytes)
    }
  }
  const job = {
    opening: new Map([[1, from]]),
    sealing,
    ids: IDS,
    values,
    records: places.map(({ record }) => record),
    fields: places.map(({ field }) => field),
    bound: places.map(({ record }) => boundOf(record)),
  }
  return { job, plain }
}

describe.each([0, 1, 3])('with %i threads', (count) => {
  it('opens every value and seals it under one fresh DEK for each record', async () => {
    const { job, plain } = jobOf(150)
    const { values, codes } = await threadsOf(count).reencrypt(job)
    expect(codes.size).toBe(0)
    const deks = new Map<number, string>()
    for (const [i, value] of values.entries()) {
      expect(typeof value).toBe(typeof job.values[i])
      const envelope = typeof value === 'string' ? parseText(value)! : parseBytes(value!)!
      const [record, field] = [job.records[i]!, job.fields[i]!]
      const key = unwrapDek(job.sealing, envelope.wrapped)
      expect(openEnvelope(envelope, key, aadOf(record, field))).toEqual(plain[i])
      const wrapped = Buffer.from(envelope.wrapped).toString('hex')
      expect(deks.get(record) ?? wrapped).toBe(wrapped)
      deks.set(record, wrapped)
    }
    expect(new Set(deks.values()).size).toBe(150)
  })

  it('says of each value that does not open where it is and why, and moves all others', async () => {
    const { job } = jobOf(150)
    const values = [...job.values]
    values[0] = values[2]! // of another record
    values[101] = Buffer.from(values[101] as Uint8Array).fill(0, 60) // altered
    values[202] = 'rs1.00000001.AAAA'
    values[203] = values[203]!.slice(0, 20)
    values[298] = 'nothing sealed'
    const done = await threadsOf(count).reencrypt({ ...job, values })
    expect(Object.fromEntries(done.codes)).toEqual({
      0: 'ERR_ENVELOPE_AUTH',
      101: 'ERR_ENVELOPE_AUTH',
      202: 'ERR_ENVELOPE_MALFORMED',
      203: 'ERR_ENVELOPE_MALFORMED',
      298: 'ERR_ENVELOPE_AUTH',
    })
    const bad = [0, 101, 202, 203, 298]
    expect(done.values.flatMap((value, i) => (value === null ? [i] : []))).toEqual(bad)
  })

  it('opens nothing under a key that it was not given', async () => {
    const { job } = jobOf(80)
    const { codes } = await threadsOf(count).reencrypt({ ...job, opening: new Map() })
    expect([...codes.values()]).toEqual(Array(160).fill('ERR_ENVELOPE_AUTH'))
  })
})

it('fails jobs whose thread dies, and starts another for the next', async () => {
  const { job } = jobOf(100)
  const threads = threadsOf(1)
  const broken = threads.reencrypt({ ...job, ids: null as never })
  const behind = threads.reencrypt(job)
  await expect(broken).rejects.toThrow(TypeError)
  await expect(behind).rejects.toThrow()
  expect((await threads.reencrypt(job)).codes.size).toBe(0)
})

it('is closed while it works: the job is given up', async () => {
  const { job } = jobOf(100)
  const threads = threadsOf(1)
  const working = threads.reencrypt(job)
  const closed = expect(working).rejects.toMatchObject({
    code: 'ERR_THREAD_FAILED',
    retryable: true,
  })
  await threads.close()
  await closed
})

/** A process of its own, which nothing keeps alive. The answer to its second job is there before it closes. */
const CLOSING = `
import { createSecretKey, randomBytes } from 'node:crypto'
const { CipherThreads } = await import(process.argv[1])
const sealing = { keyId: 1, key: createSecretKey(randomBytes(32)), aad: Buffer.alloc(1) }
const values = Array(1000).fill('nothing sealed')
const [records, fields] = [values.map((_, i) => i), values.map(() => 0)]
const job = { opening: new Map(), sealing, ids: ['Note.title'], values, records, fields, bound: null }
const threads = new CipherThreads(1)
await threads.reencrypt(job)
threads.reencrypt(job).catch(() => undefined)
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
await threads.close()
console.log('closed')
`

it('is closed while an answer is on its way: the process goes on', async () => {
  const built = new URL('../dist/threads/threads.js', import.meta.url).href
  const args = ['--input-type=module', '--eval', CLOSING, built]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(stdout).toBe('closed\n')
})
