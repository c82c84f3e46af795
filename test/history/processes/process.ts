import { appendFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { join } from 'node:path'
import { saidOf } from '../errors.ts'
import { specOf } from '../instance.ts'
import { Recorder } from '../recorder.ts'

/** What every process of a history has: its name, a recorder, and a word to end by. */
export const spec = specOf()
export const [name = '', seed = '1', ...rest] = process.argv.slice(2)
export const recorder = new Recorder(join(spec.folder, `${name}.jsonl`))

let isStopped = false
process.on('message', (message) => {
  if (message === 'stop') isStopped = true
})
// Whoever started it is gone.
process.on('disconnect', () => process.exit(1))

export const mayGoOn = (): boolean => !isStopped

const MAX_ERRORS = 300
let errors = 0

/** Do something and record it. @returns what it gave; undefined if it failed. */
export async function recorded<T>(
  kind: string,
  writes: Readonly<Record<string, string>> | undefined,
  operation: () => PromiseLike<T>,
  seen: (result: T) => { reads?: Record<string, string | null>; detail?: unknown } = () => ({}),
): Promise<T | undefined> {
  const n = recorder.start(kind, writes)
  try {
    const result = await operation()
    recorder.end(n, { outcome: 'ok', ...seen(result) })
    return result
  } catch (error) {
    recorder.end(n, saidOf(error))
    if (errors++ < MAX_ERRORS) say(`${kind} ${inspect(error, { depth: 8 })}`)
    return undefined
  }
}

/** Into a file that is looked through for what must not be in it. */
export function say(text: string): void {
  appendFileSync(join(spec.folder, `${name.replace(/\..*/, '')}.log`), `${name} ${text}\n`)
}
