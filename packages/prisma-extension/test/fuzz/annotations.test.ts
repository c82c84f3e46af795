import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/plan/digest.ts'
import { findAnnotations, readComment, scanSchema } from '../../src/schema/index.ts'
import { tokens } from '../../src/schema/tokens.ts'

// The one place that reads free text. A schema is its author's, who is nobody's enemy; but a text that hangs or
// crashes `prisma generate` says nothing to them.

const PIECES = [
  '@encrypted', '@blindIndex', '@encryption:hash', '@Encrypted', '@@', '@', '(', ')', '[', ']', '{', '}', ',', ':', '?', '=',
  '"', '\\', '"Model.field"', 'pad', 'bind', 'id', 'keyring', 'plaintext', 'allow', 'seal', 'off', 'slot', 'normalize', 'trim',
  'mode=strict', '16', '-1', '1e999', '0x10', ' ', '\t', '\n', '\r\n', '//', '///', '/*', '*/', 'model', 'Patient', 'String',
  '__proto__', 'constructor', 'toString', '`', "'", '\0', '\ud800', '\u2028', '🏥', 'é',
] // prettier-ignore
const soup = fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...PIECES) }, fc.string({ unit: 'binary' })), { maxLength: 30 }).map((pieces) => pieces.join('')) // prettier-ignore

const RUNS = 5000

it('a comment of any text is prose, an annotation, or a mistake that says what to write', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        soup,
        soup.map((rest) => `@encrypted(${rest}`),
      ),
      (text) => {
        const reading = readComment(text)
        if (reading === null) return
        if (!reading.ok) {
          expect(reading.mistake.what).toMatch(/[.?!]$/)
          expect(reading.mistake.fix).not.toBe('')
          return
        }
        const allowed = reading.annotation.kind === 'encrypted' ? ENCRYPTED : INDEX
        expect(Object.keys(reading.annotation).sort()).toEqual(allowed)
      },
    ),
    { numRuns: RUNS, seed: 3 },
  )
})

const ENCRYPTED = ['bind', 'id', 'keyring', 'kind', 'pad', 'plaintext', 'seal']
const INDEX = ['field', 'id', 'kind', 'normalize', 'slot']

it('a schema of any text is cut without loss, and its annotations and digest are found or not', () => {
  fc.assert(
    fc.property(soup, (text) => {
      expect([...tokens(text)].map((token) => token.text).join('')).toBe(text)
      const { annotations, problems } = findAnnotations([scanSchema({ file: 'f', text })])
      for (const { line } of [...annotations, ...problems].map(({ place }) => place))
        expect(line).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length)
      expect(digestOf(text)).toMatch(/^[0-9a-f]{64}$/)
    }),
    { numRuns: RUNS, seed: 4 },
  )
})

describe('ten thousand of the same', () => {
  const MANY = 10_000
  it.each(['[', '(', '((', '[[', '@', '@@', '"', '\\"', '-', '1', 'a:', ',', '?', ' @', ':a', 'bind: [', 'pad: '])('a comment with %j is read, or refused as a mistake', (piece) => {
    for (const text of [
      `@encrypted(bind: ${piece.repeat(MANY)}`,
      `@encrypted(${piece.repeat(MANY)})`,
      `@encrypted${piece.repeat(MANY)}`,
      piece.repeat(MANY),
    ])
      expect([true, false, undefined]).toContain(readComment(text)?.ok)
  }) // prettier-ignore

  it.each(['{', '}', '[', '(', '/*', '/* ', '*/', '"', '\\', '//', '\r', '\n', 'model a {', 'model a {\n', '@@'])('a schema with %j is scanned', (piece) => {
    const text = piece.repeat(MANY)
    expect([...tokens(text)].map((token) => token.text).join('')).toBe(text)
    findAnnotations([scanSchema({ file: 'f', text })])
    expect(digestOf(`model M { id Int @id }\n${text}`)).toMatch(/^[0-9a-f]{64}$/)
  }) // prettier-ignore
})
