import { describe, expect, it } from 'vitest'
import { plan } from '#generated/rowseal.ts'
import { scanBytes } from '../demo/scan.ts'
import { TABLES, type Row } from '../demo/tables.ts'
import { sentinel, SENTINEL_NEEDLES } from '../seed/sentinels.ts'

const PATIENTS = 20

describe('the seed', () => {
  it('plants a sentinel in every sealed field', () => {
    for (const { model, rows } of TABLES) {
      const all = [...rows(PATIENTS)]
      for (const field of Object.keys(plan.models[model]!.sealed)) {
        const planted = all.filter((row) =>
          text(row[field]).includes(sentinel(`${model}.${field}`)),
        )
        expect(planted, `${model}.${field}`).toHaveLength(1)
      }
    }
  })

  it('plants none in a field that is not sealed', () => {
    for (const { model, rows } of TABLES)
      for (const row of rows(PATIENTS))
        for (const [field, value] of Object.entries(row))
          if (!(field in plan.models[model]!.sealed))
            expect(scanBytes(field, Buffer.from(text(value)), SENTINEL_NEEDLES)).toEqual([])
  })

  it('is the same each time', () => {
    for (const { rows } of TABLES) expect([...rows(PATIENTS)]).toEqual([...rows(PATIENTS)])
  })

  it('makes rows in the order of their keys', () => {
    for (const { key, rows } of TABLES) {
      const keys = [...rows(PATIENTS)].map((row: Row) => key.map((field) => row[field]).join(' '))
      expect(keys).toEqual([...keys].sort())
    }
  })
})

describe('the search for sentinels', () => {
  const leak = Buffer.from(`before ${sentinel('leak')} after`)

  it.each([
    ['text', leak],
    ['hex', Buffer.from(leak.toString('hex'))],
    ['hex', Buffer.from(leak.toString('hex').toUpperCase())],
    ['hex', Buffer.from(leak.toString('hex').replaceAll(/../g, '$& '))],
    ['base64', Buffer.from(leak.toString('base64'))],
    ['base64', Buffer.from(leak.subarray(1).toString('base64'))],
    ['base64', Buffer.from(leak.subarray(2).toString('base64'))],
    ['numbers', Buffer.from(JSON.stringify({ bytes: [...leak] }))],
  ])('finds one written as %s', (form, bytes) => {
    expect(scanBytes('here', bytes, SENTINEL_NEEDLES).map((found) => found.form)).toContain(form)
  })
})

function text(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value)
}
