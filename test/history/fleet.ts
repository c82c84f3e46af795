import { spawn, type ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A place that always has a process: when one ends, whyever, the next begins. */
export interface Place {
  readonly name: string
  /** What is run: a file and its arguments; the names of processes are put in front of them. */
  readonly file: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** Is it told to stop by a message, or by SIGTERM? */
  readonly isOurs: boolean
  readonly restMs: number
}

export interface FleetOptions {
  readonly folder: string
  readonly env: (place: Place) => NodeJS.ProcessEnv
  readonly seed: number
  readonly onFrozen: (child: ChildProcess) => void
}

/** All processes of a history. */
export class Fleet {
  readonly #options: FleetOptions
  readonly #running = new Map<string, ChildProcess>()
  readonly #loops: Promise<void>[] = []
  readonly #isOurs = new Map<string, boolean>()
  #isStopped = false
  /** Processes that were started, and how they ended: exit codes and signals. */
  started = 0
  readonly ends = new Map<string, number>()

  constructor(options: FleetOptions) {
    this.#options = options
  }

  begin(place: Place): void {
    this.#isOurs.set(place.name, place.isOurs)
    this.#loops.push(this.#keep(place))
  }

  /** Those that are running. */
  running(): [string, ChildProcess][] {
    return [...this.#running].filter(([, { pid }]) => pid !== undefined)
  }

  /** Let each finish what it is at; whoever does not within a while is killed. */
  async stop(patienceMs: number): Promise<void> {
    this.#isStopped = true
    for (const [name, child] of this.running()) {
      child.kill('SIGCONT')
      if (this.#isOurs.get(name) === true) child.send('stop', () => undefined)
      else child.kill('SIGTERM')
    }
    const patience = setTimeout(() => {
      for (const [, child] of this.running()) child.kill('SIGKILL')
    }, patienceMs)
    await Promise.all(this.#loops)
    clearTimeout(patience)
  }

  async #keep(place: Place): Promise<void> {
    for (let nth = 1; !this.#isStopped; nth++) {
      const child = this.#start(place, nth)
      this.#running.set(place.name, child)
      const ended = await new Promise<string>((done) => {
        child.once('error', (error) => done(error.message))
        child.once('exit', (code, signal) => done(signal ?? `exit ${String(code)}`))
      })
      this.#running.delete(place.name)
      const key = `${place.name.replace(/-\d+$/, '')} ${ended}`
      this.ends.set(key, (this.ends.get(key) ?? 0) + 1)
      await sleep(place.restMs)
    }
  }

  #start(place: Place, nth: number): ChildProcess {
    const { name, file, args, cwd, isOurs } = place
    this.started++
    const { folder, env, seed, onFrozen } = this.#options
    const log = openSync(join(folder, `${name}.out`), 'a', 0o600)
    const own = isOurs
      ? ['--import', 'tsx', file, `${name}.${nth}`, String(seed + nth * 7919)]
      : [file]
    const child = spawn(process.execPath, [...own, ...args], {
      cwd: cwd ?? import.meta.dirname,
      env: env(place),
      stdio: ['ignore', log, log, isOurs ? 'ipc' : 'ignore'],
    })
    child.on('message', (message) => message === 'frozen' && onFrozen(child))
    return child
  }
}
