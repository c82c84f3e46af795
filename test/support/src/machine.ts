import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** A folder, until it is removed. */
export interface TemporaryFolder {
  readonly path: string
  readonly remove: () => void
}

/** A new folder that other users of this machine (a database server's, say) may enter. */
export function temporaryFolder(name: string, parent = tmpdir()): TemporaryFolder {
  const path = mkdtempSync(join(parent, `rowseal-${name}-`))
  chmodSync(path, 0o755)
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) }
}

const MEMORY = '/dev/shm'
const SPARE_BYTES = 8 * 2 ** 30

/**
 * A folder in memory, where a database need not wait for a disk: what is in it outlives processes, as on a disk.
 * Null where there is no such place, where programs may not run in it, or where it would be cramped.
 */
export function folderInMemory(name: string): TemporaryFolder | null {
  const mount = mounts().find(([, place]) => place === MEMORY)
  const [, , type, options = ''] = mount ?? []
  if (type !== 'tmpfs' || options.split(',').some((option) => ['ro', 'noexec'].includes(option)))
    return null
  const { bavail, bsize } = statfsSync(MEMORY)
  removeLeftovers(name)
  if (Math.min(bavail * bsize, freemem()) < SPARE_BYTES) return null
  return temporaryFolder(`${name}-${process.pid}`, MEMORY)
}

/** Of processes that were killed. */
function removeLeftovers(name: string): void {
  const ours = new RegExp(`^rowseal-${name}-(\\d+)-\\w+$`)
  for (const entry of readdirSync(MEMORY)) {
    const pid = ours.exec(entry)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(MEMORY, entry), { recursive: true, force: true, maxRetries: 3 })
  }
}

function mounts(): string[][] {
  if (process.platform !== 'linux') return []
  const lines = readFileSync('/proc/mounts', 'utf8').trim().split('\n')
  return lines.map((line) => line.split(' ')).reverse()
}
