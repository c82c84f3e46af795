import { lstat, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { cannot, type Check } from './check.ts'

const TIMEOUT_MS = 2_000

/** A file that exists pauses. In a folder that is not there, nobody would ever put one. */
export function flagCheck(path: string): Check {
  return {
    name: 'throttle.flag (--throttle-flag)',
    timeoutMs: TIMEOUT_MS,
    run: async () => {
      try {
        await lstat(path)
        return `the file ${path} exists`
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw unseen(path, error)
      }
      const folder = dirname(path)
      try {
        if ((await stat(folder)).isDirectory()) return null
      } catch (error) {
        throw unseen(folder, error)
      }
      throw cannot(`${folder} is no folder.`, 'Give a path in a folder that is there.')
    },
  }
}

function unseen(path: string, error: unknown): Error {
  return cannot(
    `${path} cannot be looked at (${codeOf(error)}).`,
    'Give a path in a folder that is there and may be entered.',
  )
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown }
  return typeof code === 'string' ? code : 'no code'
}
