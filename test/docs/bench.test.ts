import { describe, expect, it } from 'vitest'
import { newestReports, PAGE_NAMES, read, written } from '../../bench/src/readme.ts'

describe('the tables of figures', () => {
  it.each(PAGE_NAMES)(
    'in %s are what npm run bench:readme writes from the committed results',
    async (page) => {
      expect(read(page)).toBe(await written(page, newestReports()))
    },
  )
})
