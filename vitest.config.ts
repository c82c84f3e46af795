import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const extension = new URL('./packages/prisma-extension/src/', import.meta.url).pathname
const BUILT = 'test/versions/**/*.test.ts'

/**
 * A file of tests ends before it pays to optimise its code, and Prisma's: V8 spent two fifths of a worker's CPU time on
 * that, in threads of its own. It waits until code has run ten times as often. The flags are V8's, so a Node that
 * does not know them goes without.
 */
const LATE_OPTIMISING = ['--interrupt-budget=675840', '--wasm-tiering-budget=18000000']
const isKnown = spawnSync(process.execPath, [...LATE_OPTIMISING, '--eval', '']).status === 0

/** Files that take minutes begin first, so that no core waits for one of them at the end. */
const LONG = [
  'kills/kills',
  'oracle/mariadb',
  'oracle/postgresql',
  'oracle/sqlite',
  'kills/beside',
  'test/history',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.includes(`/${name}.`))
      return at === -1 ? LONG.length : at
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}

/**
 * Tests run the sources; child processes they start run `dist`, which `npm test` builds first, and so do
 * the tests of Prisma versions.
 */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        resolve: {
          alias: [
            { find: /^@rowseal\/prisma-extension$/, replacement: `${extension}index.ts` },
            {
              find: /^@rowseal\/prisma-extension\/(plan|sql|keys|envelope)$/,
              replacement: `${extension}$1/index.ts`,
            },
            {
              find: /^@rowseal\/prisma-extension\/(providers|stores)\/(.+)$/,
              replacement: `${extension}keys/$1/$2.ts`,
            },
          ],
        },
        test: {
          name: 'sources',
          include: [
            'packages/*/test/**/*.test.ts',
            'test/**/*.test.ts',
            'examples/*/test/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', BUILT],
        },
      },
      { extends: true, test: { name: 'versions', include: [BUILT] } },
    ],
    // Vitest leaves one core to itself; but much of a file's time goes by waiting for a database.
    maxWorkers: availableParallelism() + 1,
    execArgv: isKnown ? LATE_OPTIMISING : [],
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/support/src/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: process.env['ROWSEAL_TEST_RESULTS']
      ? ['default', ['json', { outputFile: process.env['ROWSEAL_TEST_RESULTS'] }]]
      : ['default'],
  },
})
