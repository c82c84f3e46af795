// Starts demo/main.ts: with tsx, since Node 20 runs no TypeScript, and with the client of the database
// asked for, which the condition picks in package.json's `imports`.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const args = process.argv.slice(2)
const isPostgres = args.some((arg) => arg === 'postgres' || arg === '--db=postgres')
const child = spawn(
  process.execPath,
  [
    ...(isPostgres ? ['--conditions=postgresql'] : []),
    `--import=${import.meta.resolve('tsx')}`,
    fileURLToPath(new URL('demo/main.ts', import.meta.url)),
    ...args,
  ],
  { stdio: 'inherit' },
)
// Ctrl-C reaches the child by itself; it tidies up and ends, and this process after it.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})
