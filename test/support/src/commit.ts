import { execFileSync } from 'node:child_process'

/** The commit that is checked out, abbreviated; `unknown` outside a repository. */
export function headCommit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
