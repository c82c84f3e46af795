import type { GeneratorOptions } from '@prisma/generator-helper'
import childProcess from 'node:child_process'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { writeMysqlDdl } from '../mysql-ddl.ts'
import { GENERATOR } from './build.ts'

type Generate = (options: GeneratorOptions) => unknown

/** By the `provider` of a schema: what `rowseal-generator` and `mysql-ddl-generator.ts` do as processes. */
const GENERATORS: Readonly<Record<string, Generate>> = {
  'rowseal-generator': async (options) => {
    const { href } = pathToFileURL(join(GENERATOR, 'generator/generate.js'))
    await (await import(href)).generate(options)
  },
  'tsx ../../src/mysql-ddl-generator.ts': writeMysqlDdl,
}

/** Prisma starts a process for each generator of a schema; from now on those above run in this one. */
export function runGeneratorsHere(): void {
  const { spawn } = childProcess
  const start = (command: string, ...rest: unknown[]): unknown => {
    const generate = GENERATORS[command]
    return generate === undefined
      ? Reflect.apply(spawn, childProcess, [command, ...rest])
      : new GeneratorHere(command, generate)
  }
  childProcess.spawn = start as typeof spawn
}

interface Request {
  readonly id: number
  readonly method: 'getManifest' | 'generate'
  readonly params: GeneratorOptions
}

/** As much of a child process as Prisma uses: JSON-RPC, one message a line, to `stdin` and from `stderr`. */
class GeneratorHere extends EventEmitter {
  readonly stderr = new PassThrough()
  readonly stdin = Object.assign(new EventEmitter(), {
    writable: true,
    write: (line: string, written: () => void): void => {
      written()
      void this.#answer(JSON.parse(line) as Request)
    },
  })
  readonly #prettyName: string
  readonly #generate: Generate
  killed = false

  constructor(prettyName: string, generate: Generate) {
    super()
    this.#prettyName = prettyName
    this.#generate = generate
    setImmediate(() => this.emit('spawn'))
  }

  kill(): void {
    this.killed = true
    this.stderr.end()
    setImmediate(() => this.emit('exit', 0))
  }

  async #answer({ id, method, params }: Request): Promise<void> {
    const manifest = { prettyName: this.#prettyName }
    const answer = method === 'getManifest' ? { result: { manifest } } : await this.#run(params)
    this.stderr.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`)
  }

  async #run(options: GeneratorOptions): Promise<object> {
    try {
      await this.#generate(options)
      return { result: null }
    } catch (error) {
      const { message, stack } = error as Error
      return { error: { code: -32_000, message, data: { stack } } }
    }
  }
}
