import { statSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'
import whole from '../../vitest.config.ts'
import { AREAS } from './areas.mjs'

const area = process.env.ROWSEAL_MUTATION_AREA
/** What is not changed is taken as it was built, which loads in a fraction of the time. */
const takesBuilt = area === 'engine'
const alias = whole.test.projects.flatMap(({ resolve }) => resolve?.alias ?? [])

/** The first test that fails ends a mutant: small files, which load and cover little, are before large ones. */
class SmallestFirst extends BaseSequencer {
  async sort(files) {
    const sizes = new Map(files.map((file) => [file, statSync(file.moduleId).size]))
    return [...files].sort((a, b) => sizes.get(a) - sizes.get(b))
  }
}

/** The tests of one area, without the servers that others need. Each mutant gets one new worker for all files. */
export default defineConfig({
  resolve: { alias: takesBuilt ? [] : alias },
  test: {
    include: AREAS[area].tests,
    isolate: false,
    maxWorkers: 1,
    sequence: { sequencer: SmallestFirst },
    testTimeout: 20_000,
    server: { deps: { external: [/packages\/prisma-extension\/dist/] } },
  },
})
