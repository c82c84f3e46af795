import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Run a program of `children/`, and give what it prints. */
export async function child<T>(name: string, ...args: string[]): Promise<T> {
  const program = new URL(`children/${name}.ts`, import.meta.url).pathname
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', program, ...args],
    { cwd: new URL('..', import.meta.url) },
  )
  return JSON.parse(stdout) as T
}
