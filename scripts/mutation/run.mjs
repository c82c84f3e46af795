// npm run test:mutation -- --only envelope|keys|providers|stores|query|engine [--mutate GLOB]: change the sources in
// thousands of small ways and see whether the tests without a database notice. Minutes to an hour for each area.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { AREAS } from './areas.mjs'

const { values } = parseArgs({
  options: { only: { type: 'string' }, mutate: { type: 'string' } },
})
const areas = values.only === undefined ? Object.keys(AREAS) : [values.only]
const unknown = areas.find((area) => !Object.hasOwn(AREAS, area))
if (unknown !== undefined) {
  console.error(`--only takes one of ${Object.keys(AREAS).join(', ')}.`)
  process.exit(2)
}
for (const area of areas) {
  const args = ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', 'scripts/mutation/stryker.config.mjs'] // prettier-ignore
  if (values.mutate !== undefined) args.push('--mutate', values.mutate)
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, ROWSEAL_MUTATION_AREA: area },
  })
  if (status !== 0) process.exitCode = 1
}
