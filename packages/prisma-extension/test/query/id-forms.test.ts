import { expect, test } from 'vitest'
import { newId } from '../../src/query/new-id.ts'
import { FUNCTIONS } from './id-functions.ts'

// That Prisma's ids have these forms, new-id.test.ts shows.

test.each(Object.entries(FUNCTIONS))('makes ids as Prisma does by %s', (_, [id, form]) => {
  const ids = Array.from({ length: 100 }, () => newId(id))
  for (const made of ids) expect(made).toMatch(form)
  expect(new Set(ids).size).toBe(100)
})
