import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second, as Linux counts for all programs. */
const TICKS = 100

/** CPU seconds that a database server on this machine has used so far, found by its port. NaN where nobody tells. */
export function serverCpuSeconds(port: string): number {
  try {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    const [server] = all.filter((pid) => isServer(pid, port))
    if (server === undefined) return NaN
    return all.reduce((sum, pid) => sum + secondsOf(pid, server), 0)
  } catch {
    return NaN
  }
}

function isServer(pid: string, port: string): boolean {
  const args = textOf(`/proc/${pid}/cmdline`).split('\0')
  return (
    /(postgres|mariadbd)$/.test(args[0] ?? '') && args.some((arg) => arg.endsWith(`port=${port}`))
  )
}

/** Of the server with its children that have ended, and of each child. */
function secondsOf(pid: string, server: string): number {
  const stat = textOf(`/proc/${pid}/stat`)
  const [, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (pid !== server && parent !== server) return 0
  const times = rest.slice(9, pid === server ? 13 : 11)
  return times.reduce((sum, ticks) => sum + Number(ticks) / TICKS, 0)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
