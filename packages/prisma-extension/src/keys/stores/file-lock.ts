import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { KeyError } from '../../errors.ts'

// One process at a time changes the file. The lock is a file beside it, made with what it says in one step (a
// link), so that no process that dies leaves one that says nothing. A power cut may, as it is not brought to the
// disk: one that cannot be read is of a process that is no more.
//
//   <path>.lock            token, process and host of the holder
//   <path>.lock.<token>    claim on the lock of that token, whose holder is dead
//
// Of all that find a lock whose holder is dead, the one that gets the claim replaces it by its own (a rename).
// Nobody else may, so what it looked at is what it replaces. A claim whose holder died is claimed likewise.

const RETRY_MS = 5

interface Holder {
  readonly token: string
  readonly host: string
  /** Changes when the machine starts; empty where it does not say. */
  readonly boot: string
  /** Process ids mean something within one of these only; empty where there are none. */
  readonly space: string
  readonly pid: number
  /** When the process started, in whatever unit; empty where it is not told. Ids of processes come again. */
  readonly started: string
}

/**
 * Do something while no other process does.
 *
 * @param path - of the lock; its folder must be there.
 * @throws {KeyError} `ERR_KEY_UNAVAILABLE` (retryable) if another process held it for `timeoutMs`.
 */
export async function withLock<T>(
  path: string,
  timeoutMs: number,
  run: () => Promise<T>,
): Promise<T> {
  const mine = holder()
  await acquire(path, mine, performance.now() + timeoutMs)
  try {
    return await run()
  } finally {
    await rm(path, { force: true })
  }
}

async function acquire(path: string, mine: Holder, until: number): Promise<void> {
  for (;;) {
    if (await create(path, mine)) return
    const other = await holderOf(path)
    if (other === null) continue // it was given back meanwhile
    if (isDead(other) && (await takeOver(path, other, mine, until))) return
    if (performance.now() > until) throw held(path, other)
    await new Promise((done) => setTimeout(done, RETRY_MS * (0.5 + Math.random())))
  }
}

/** Replace the lock of a dead holder. False if it is another's by now. */
async function takeOver(path: string, dead: Holder, mine: Holder, until: number): Promise<boolean> {
  const claim = `${path}.${dead.token}`
  await acquire(claim, { ...mine, token: randomUUID() }, until)
  try {
    if ((await holderOf(path))?.token !== dead.token) return false
    const draft = `${path}.${mine.token}.new`
    await writeFile(draft, JSON.stringify(mine), { flag: 'wx', mode: 0o600 })
    await rename(draft, path)
    return true
  } finally {
    await rm(claim, { force: true })
  }
}

/** Make the lock, unless there is one. */
async function create(path: string, mine: Holder): Promise<boolean> {
  const draft = `${path}.${randomUUID()}.new`
  await writeFile(draft, JSON.stringify(mine), { flag: 'wx', mode: 0o600 })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

async function holderOf(path: string): Promise<Holder | null> {
  try {
    return parsed(await readFile(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Stands for whoever held a lock that cannot be read. */
const LOST: Holder = { token: 'lost', host: '', boot: '', space: '', pid: 0, started: '' }

function parsed(text: string): Holder {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null
    return typeof holder?.token === 'string' ? (holder as Holder) : LOST
  } catch {
    return LOST
  }
}

function holder(): Holder {
  return {
    token: randomUUID(),
    host: hostname(),
    boot: textOf('/proc/sys/kernel/random/boot_id'),
    space: spaceOf(),
    pid: process.pid,
    started: startOf(process.pid),
  }
}

/** Is it certain that the holder is no more? */
function isDead(other: Holder): boolean {
  if (other === LOST) return true
  if (other.host !== hostname()) return false
  if (other.boot !== textOf('/proc/sys/kernel/random/boot_id')) return true
  if (other.space !== spaceOf()) return false
  try {
    process.kill(other.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  return startOf(other.pid) !== other.started
}

/** Field 22 of Linux' /proc/<pid>/stat, after the name, which may hold spaces and brackets. */
function startOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function spaceOf(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function held(path: string, { pid, host }: Holder): KeyError {
  const isHere = host === hostname()
  return new KeyError(
    'ERR_KEY_UNAVAILABLE',
    `The file key store is locked by process ${pid}${isHere ? '' : ` of host ${host}`}.`,
    {
      fix: isHere
        ? 'Try again when it is done.'
        : `A file key store is for one host. If that process is no more, delete ${path}.`,
      retryable: true,
    },
  )
}
