import { afterAll, beforeAll, describe } from 'vitest'
import { open, type Combination } from '../combination.ts'
import { GENERATORS, PROVIDERS } from '../generate.ts'
import type { Version } from '../installation.ts'
import { bindingSuite } from './binding.ts'
import { internalsSuite } from './internals.ts'
import { operationSuite } from './operations.ts'
import { refusalSuite } from './refusals.ts'
import { rotationSuite } from './rotation.ts'

const SUITES = [operationSuite, refusalSuite, internalsSuite, bindingSuite, rotationSuite]

/** The same tests for both generators of a version, on both databases. Within one they build on each other. */
export function versionSuite(version: Version): void {
  describe.each(GENERATORS)(`Prisma ${version} with %s`, (generator) => {
    describe.each(PROVIDERS)('on %s', (provider) => {
      let opened: Combination
      beforeAll(async () => {
        opened = await open(version, generator, provider)
      })
      afterAll(() => opened.close())
      for (const suite of SUITES) suite(() => opened)
    })
  })
}
