import { describe, expect, test } from 'vitest'
import { boundIn, boundTexts, contended } from '../../src/query/index.ts'
import { A, atLibrary } from './library-walks.ts'

const library = atLibrary()

describe('what stands in a record', () => {
  test('is read by the type of its column', () => {
    const note = library.walks().plan.get('Note')!
    const text = note.sealed.get('text')!
    expect(boundIn(note, text, { id: A, tenantId: 2 }).map(String)).toStrictEqual(['2', A])
    expect(boundTexts(note, { id: A, tenantId: 2 })).toStrictEqual({ id: A, tenantId: '2' })
    for (const row of [{ id: A }, { id: A, tenantId: null }, { id: 'x', tenantId: 2 }]) {
      expect(() => boundIn(note, text, row)).toThrow(TypeError)
      expect(() => boundTexts(note, row)).toThrow(TypeError)
    }
    expect(() => boundIn(note, text, Object.create({ id: A, tenantId: 2 }))).toThrow(TypeError) // prettier-ignore
    expect(contended(note)).toMatchObject({ code: 'ERR_RECORD_BINDING', retryable: true })
  })
})
