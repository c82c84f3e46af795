// npm run bench -- [--quick] [--json] [--only PARTS] [--rounds N] [--rows N] [--save]
import { spawnSync } from 'node:child_process'

const main = new URL('src/main.ts', import.meta.url).pathname
const { status } = spawnSync(
  process.execPath,
  ['--expose-gc', '--import', 'tsx', main, ...process.argv.slice(2)],
  {
    cwd: new URL('.', import.meta.url),
    stdio: 'inherit',
  },
)
process.exitCode = status ?? 1
