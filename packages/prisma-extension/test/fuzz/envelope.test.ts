import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, parseBytes, parseText } from '../../src/envelope/index.ts'
import type { CodecType } from '../../src/envelope/index.ts'
import { EnvelopeError } from '../../src/errors.ts'
import { CORPUS, fault, input, type Outcome } from './envelopes.ts'

// The short form of `run.ts`, which docs/hostile-data.md records.

const RUNS = 5000
const OUTCOMES = ['decode', 'foreign', 'key', 'open', 'opened', 'parse', 'unwrap']

describe('a stored value that somebody made or changed', () => {
  it('is opened if it was sealed so and there, and refused or foreign by the specification if not', () => {
    const met = new Set<Outcome>()
    fc.assert(
      fc.property(input, (given) => {
        expect(fault(given, (outcome) => met.add(outcome))).toBeNull()
      }),
      { numRuns: RUNS, seed: 1 },
    )
    // Every step of reading was the last one for some of them.
    expect([...met].sort()).toEqual(OUTCOMES)
  })

  it('opens at its own place, the whole corpus', () => {
    for (const from of CORPUS.keys())
      expect(fault({ from, changes: [], textChanges: [], elsewhere: 0 })).toBeNull()
  })

  it('is refused at once where it is longer than any envelope, and costs no copy of itself', () => {
    const long = `rs1.0000002a.${'A'.repeat(30_000_000)}`
    const before = process.memoryUsage().arrayBuffers
    expect(() => parseText(long)).toThrow(/rule "size"/)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
    const bytes = Buffer.alloc(20_000_000)
    CORPUS[0]!.bytes.copy(bytes)
    expect(() => parseBytes(bytes)).toThrow(/rule "size"/)
  })
})

/** What the specification says of a plaintext. */
function expectedValue(type: CodecType, plaintext: Buffer): string | null {
  const tag = plaintext[0]
  if (tag === undefined || (tag & 0x7f) !== { String: 1, Json: 2, Bytes: 3 }[type]) return null
  let value = plaintext.subarray(1)
  if (tag & 0x80) {
    const size = value.length < 4 ? Infinity : value.readUInt32BE(0)
    if (value.length < 5 || value.length - 4 < size) return null
    if (value.subarray(4 + size).some((byte) => byte !== 0)) return null
    value = value.subarray(4, 4 + size)
  }
  const isText = type === 'Bytes' || Buffer.from(value.toString('utf8'), 'utf8').equals(value)
  return isText ? value.toString('hex') : null
}

it('a plaintext of any bytes decodes by the specification, whatever length it declares', () => {
  const lengths = fc.constantFrom(0, 1, 2, 5, 0x7fffffff, 0x80000000, 0xffffffff)
  const plaintext = fc
    .tuple(
      fc.constantFrom(0x01, 0x02, 0x03, 0x81, 0x82, 0x83, 0x00, 0x04, 0x80, 0xff),
      fc.option(lengths, { nil: null }),
      fc.uint8Array({ maxLength: 12 }),
      fc.nat(9),
    )
    .map(([tag, length, bytes, zeros]) => {
      const size = Buffer.alloc(length === null ? 0 : 4)
      if (length !== null) size.writeUInt32BE(length)
      return Buffer.concat([Uint8Array.of(tag), size, bytes, Buffer.alloc(zeros)])
    })
  const type = fc.constantFrom('String', 'Json', 'Bytes')
  fc.assert(
    fc.property(type, plaintext, (type, plaintext) => {
      let value: string | null = null
      try {
        value = Buffer.from(decode(type as 'String', plaintext)).toString('hex')
      } catch (error) {
        expect(error).toBeInstanceOf(EnvelopeError)
      }
      expect(value).toBe(expectedValue(type, plaintext))
    }),
    { numRuns: RUNS, seed: 2 },
  )
})
