import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { main } from '../src/cli/main.ts'
import { compiled } from './compiled.ts'
import type { Provider, World } from './world.ts'

const PACKAGE = new URL('..', import.meta.url).pathname
const BIN = join(PACKAGE, 'bin/rowseal.mjs')

/** What a run says every few seconds, which it takes on a slow machine. */
export const PROGRESS = /^\w+: [\d,]+ of [\d,]+ rows, .*\n/gm

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** `rowseal` for a world: its command line here, and the built one in a folder with a `rowseal.config.ts`. */
export class Command {
  readonly folder: string
  /** Of its `rowseal.config.ts`. */
  readonly text: string
  readonly #world: World
  readonly #queue: object | undefined
  readonly #env: Record<string, string>

  /** @param queue - what `bullmqQueue` is given. */
  constructor(world: World, queue?: object) {
    mkdirSync(join(PACKAGE, '.tmp'), { recursive: true })
    this.folder = mkdtempSync(join(PACKAGE, '.tmp', 'command-'))
    this.#world = world
    this.#queue = queue
    this.#env = {
      DATABASE_URL: world.db.url,
      ROWSEAL_ROOT_KEY: world.rootKey.toString('base64'),
    }
    const { dir } = world
    const files = { client: `${dir}/client/client.ts`, plan: `${dir}/rowseal.ts` }
    this.text = configOf(world, files, queue)
    this.write('rowseal.config.ts', this.text)
  }

  write(name: string, content: string): void {
    writeFileSync(join(this.folder, name), content)
  }

  /** A process of its own: what it loads, how it ends, and what becomes of it when it is killed. */
  start(...args: string[]): Started {
    const child = this.#spawn(args)
    const ended = Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<[number | null, NodeJS.Signals | null]>((done) =>
        child.on('close', (code, signal) => done([code, signal])),
      ),
    ]).then(([stdout, stderr, [code, signal]]) => ({ code, signal, stdout, stderr }))
    return { child, ended }
  }

  /** The same, and nobody reads what it writes to stdout. */
  startUnread(...args: string[]): Started {
    const child = this.#spawn(args)
    child.stdout.destroy()
    const closed = new Promise<[number | null, NodeJS.Signals | null]>((done) =>
      child.on('close', (code, signal) => done([code, signal])),
    )
    const ended = Promise.all([text(child.stderr), closed]).then(([stderr, [code, signal]]) => {
      return { code, signal, stdout: '', stderr }
    })
    return { child, ended }
  }

  #spawn(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    return spawn(process.execPath, [BIN, ...args], {
      cwd: this.folder,
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** The same with a configuration in JavaScript, for which Node needs no hooks of tsx. */
  startSoon(...args: string[]): Started {
    const dir = compiled(this.#world.dir)
    const files = { client: `${dir}/client/client.js`, plan: `${dir}/rowseal.js` }
    this.write('soon.mjs', configOf(this.#world, files, this.#queue))
    return this.start(...args, '--config', 'soon.mjs')
  }

  /** In this process, with a client and a keyring of its own: it starts a hundred times faster. */
  async run(...args: string[]): Promise<Ended> {
    const [stdout, stderr] = [new Captured(process.stdout), new Captured(process.stderr)]
    try {
      const code = await main(args, () => this.#world.another())
      return { code, signal: null, stdout: stdout.text, stderr: stderr.text }
    } finally {
      stdout.release()
      stderr.release()
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What is written to a stream goes here instead. */
class Captured {
  text = ''
  readonly release: () => void

  constructor(stream: NodeJS.WriteStream) {
    const { write } = stream
    stream.write = (chunk: unknown, ...rest: unknown[]) => {
      this.text += String(chunk)
      const written = rest.at(-1)
      if (typeof written === 'function') (written as () => void)()
      return true
    }
    this.release = () => {
      stream.write = write
    }
  }
}

const ADAPTERS: Readonly<Record<Provider, string>> = {
  postgresql: `import { PrismaPg } from '@prisma/adapter-pg'
const adapter = new PrismaPg({ connectionString: process.env['DATABASE_URL'] })`,
  sqlite: `import { PrismaLibSql } from '@prisma/adapter-libsql'
const adapter = new PrismaLibSql({ url: process.env['DATABASE_URL'], timeout: 5000 })`,
  mysql: `import { PrismaMariaDb } from '@prisma/adapter-mariadb'
const adapter = new PrismaMariaDb(process.env['DATABASE_URL'])`,
}

/** As in the README, with the generated files of the world, and await at the top. */
function configOf(
  { provider }: World,
  files: { readonly client: string; readonly plan: string },
  queue: object | undefined,
): string {
  const adapter = ADAPTERS[provider]
  const [imported, added] =
    queue === undefined
      ? ['', '']
      : [
          `import { bullmqQueue } from '@rowseal/migrator/queues/bullmq'\n`,
          `, queue: bullmqQueue(${JSON.stringify(queue)})`,
        ]
  return `${imported}import { defineConfig } from '@rowseal/migrator'
import { openKeyring } from '@rowseal/prisma-extension'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { PrismaClient } from '${files.client}'
import { plan } from '${files.plan}'
${adapter}

const client${files.client.endsWith('.ts') ? ': PrismaClient' : ''} = new PrismaClient({ adapter })
const keyring = await openKeyring({
  root: localRootKey({ env: 'ROWSEAL_ROOT_KEY' }),
  store: sqlKeyStore(client),
})
export default defineConfig({ client, plan, keyring${added} })
`
}
