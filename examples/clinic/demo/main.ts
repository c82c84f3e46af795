import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { captureOutput } from './capture.ts'
import { checkOutput } from './checks.ts'
import { readOptions, type Options } from './options.ts'
import { createPrinter } from './print.ts'
import { runDemo, type Facts } from './run-demo.ts'

const options = readOptions(process.argv.slice(2))
if ('text' in options) {
  const stream = options.exitCode === 0 ? process.stdout : process.stderr
  stream.write(options.text)
  process.exitCode = options.exitCode
} else {
  process.exitCode = await main(options)
}

/** @returns the exit code. */
async function main(options: Options): Promise<number> {
  const printed = captureOutput()
  const print = createPrinter(options.json ? process.stderr : process.stdout)
  const folder = temporaryFolder()
  const closers: (() => Promise<unknown>)[] = []
  const tidy = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close().catch(() => undefined)
    if (options.keep) print.line(`\nThe database, the logs and the root key are in ${folder}`)
    else rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  const stopped: { exitCode?: number } = {}
  const onSignal = (exitCode: number) => (): void => {
    stopped.exitCode = exitCode
    print.line('\nStopped.')
    void tidy().finally(() => process.exit(exitCode))
  }
  process.once('SIGINT', onSignal(130)).once('SIGTERM', onSignal(143))

  let facts: Facts | { ok: false; error: string }
  try {
    facts = await runDemo({
      options,
      folder,
      print,
      printed,
      onClose: (close) => closers.push(close),
    })
  } catch (error) {
    facts = { ok: false, error: messageOf(error) }
    // Once it is told to stop, the database goes away under it.
    if (stopped.exitCode === undefined) print.line(`\n${facts.error}`)
  }
  if (stopped.exitCode !== undefined) return stopped.exitCode
  await tidy()
  if (options.json) process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`)
  // The summary and the document were printed after the check of the output.
  return facts.ok && checkOutput(printed()).ok ? 0 : 1
}

/** Others may enter it, as a database server may run as another user; what must be private has a mode of its own. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rowseal-clinic-'))
  chmodSync(folder, 0o711)
  mkdirSync(join(folder, 'logs'), { mode: 0o700 })
  return folder
}

/** Rowseal's own errors say it all; of others the stack helps. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'fix' in error
    ? `${error.name} ${(error as { code?: string }).code}: ${error.message}`
    : error.stack!
}
