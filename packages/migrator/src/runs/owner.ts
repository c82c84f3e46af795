import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/** `host:pid:random`, so that an operator finds the process and no two are alike. */
export function newOwner(): string {
  return `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
}

/** Is the owner a process of this very host that has ended? False if that cannot be known. */
export function isDead(owner: string): boolean {
  const [pid, host] = [owner.split(':').at(-2), owner.split(':').slice(0, -2).join(':')]
  if (host !== hostname() || !/^\d+$/.test(pid ?? '')) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as { code?: string }).code === 'ESRCH'
  }
}
