import { createRequire } from 'node:module'
import { AREAS } from './areas.mjs'

const area = process.env.ROWSEAL_MUTATION_AREA
const { resolve } = createRequire(import.meta.url)

export default {
  testRunner: 'vitest',
  vitest: { configFile: 'scripts/mutation/vitest.config.mjs', related: false },
  plugins: [resolve('@stryker-mutator/vitest-runner'), new URL('ignore-prose.mjs', import.meta.url).pathname], // prettier-ignore
  ignorers: ['prose'],
  mutate: AREAS[area].mutate,
  coverageAnalysis: 'perTest',
  concurrency: 1,
  ignoreStatic: true,
  incremental: true,
  incrementalFile: `.tmp/mutation/${area}.incremental.json`,
  reporters: ['progress-append-only', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false },
  jsonReporter: { fileName: `.tmp/mutation/${area}.json` },
  ignorePatterns: ['/examples', '/bench', '/test', 'dist', 'generated'],
  tempDirName: '.tmp/stryker',
  packageManager: 'pnpm',
  allowConsoleColors: false,
  thresholds: { high: 95, low: 85, break: 85 },
}
