import { createHash, randomUUID } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** A major version of Prisma. Each has a folder here, whose `node_modules` holds it and what goes with it. */
export type Version = 6 | 7

const HERE = fileURLToPath(new URL('.', import.meta.url))
const PACKAGES = fileURLToPath(new URL('../../packages/', import.meta.url))
const NAMES = ['prisma-extension', 'migrator']

/** Our built packages, laid out as an application beside this version of Prisma would have them. */
export interface Installation {
  readonly version: Version
  readonly dir: string
  /** A module of one of our packages: `prisma-extension/dist/index.js`. */
  load(module: string): Promise<any>
}

/**
 * Copies, since Node resolves what a package imports from where its files really are: a link would find the
 * Prisma beside the package, not the one beside the application.
 */
export function install(version: Version): Installation {
  const dir = join(HERE, `prisma-${version}`, '.tmp', buildId())
  if (!existsSync(dir)) lay(dir)
  const load = (module: string): Promise<any> =>
    import(pathToFileURL(join(dir, 'node_modules/@rowseal', module)).href)
  return { version, dir, load }
}

function lay(dir: string): void {
  const work = `${dir}.${randomUUID()}`
  for (const name of NAMES) {
    const target = join(work, 'node_modules/@rowseal', name)
    mkdirSync(target, { recursive: true })
    for (const part of ['bin', 'dist', 'package.json']) {
      cpSync(join(PACKAGES, name, part), join(target, part), { recursive: true })
    }
  }
  const bin = join(work, 'node_modules/.bin')
  mkdirSync(bin)
  symlinkSync(
    '../@rowseal/prisma-extension/bin/rowseal-generator.mjs',
    join(bin, 'rowseal-generator'),
  )
  move(work, dir)
}

/** Gives a finished folder its name. Another worker may have made the same one in the meantime. */
export function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    rmSync(from, { recursive: true, force: true })
    if (!existsSync(to)) throw error
  }
}

/** Changes when our packages are built anew with other code. */
function buildId(): string {
  const hash = createHash('sha256').update(process.version)
  for (const name of NAMES) {
    const dist = join(PACKAGES, name, 'dist')
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    for (const file of files.filter((path) => /\.(js|d\.ts)$/.test(path)).sort()) {
      hash.update(file).update(readFileSync(join(dist, file)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}
