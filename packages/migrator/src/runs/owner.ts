import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Which processes a pid is of: containers, and hosts that were cloned, may have one name and each its own. */
const SPACE = createHash('sha256')
  .update(textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')))
  .update(textOf(() => readlinkSync('/proc/self/ns/pid')))
  .digest('hex')
  .slice(0, 8)

/** `host:pid:id`, so that an operator finds the process and no two are alike. The id ends with what the pid is of. */
export function newOwner(): string {
  return `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}${SPACE}`
}

/** Is the owner a process of this very host that has ended? False if that cannot be known. */
export function isDead(owner: string): boolean {
  const [pid = '', id = ''] = owner.split(':').slice(-2)
  const host = owner.split(':').slice(0, -2).join(':')
  if (host !== hostname() || !id.endsWith(SPACE) || !/^\d+$/.test(pid)) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as { code?: string }).code === 'ESRCH'
  }
}

/** Linux alone tells. */
function textOf(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
