// Make a fresh clone ready: dependencies, build, generated clients. Needs only Node and npm.
// Does nothing, quickly, when all is there. Writes to stderr only, so that stdout stays the caller's.
//
//   node scripts/setup.mjs [--quiet]      --quiet hides the tools' output unless one fails
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const STAMP = join(ROOT, 'node_modules/.rowseal-setup.json')
const LOCK = join(ROOT, '.tmp/setup.lock')
const PNPM = 'pnpm@10.34.8'
const PACKAGES = ['packages/prisma-extension', 'packages/migrator']
const quiet = process.argv.includes('--quiet')

// Prisma would download its schema engine before it generates. Generating needs none: any program will do.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ||= process.execPath

try {
  await setup()
} catch (error) {
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 1
}

async function setup() {
  requireNode()
  takeLock()
  try {
    install()
    build()
    await generate()
  } finally {
    rmSync(LOCK, { force: true })
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major >= 24 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return
  throw new Error(`Rowseal needs Node 20.19, 22.12, or 24 and later. This is ${process.version}.`)
}

function install() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml'])
    hash.update(readFileSync(join(ROOT, file)))
  const dependencies = hash.digest('hex')
  if (readStamp().dependencies === dependencies) return
  step('Installing the dependencies', () =>
    run('npx', [
      '--yes',
      PNPM,
      'install',
      '--frozen-lockfile',
      '--config.confirmModulesPurge=false',
    ]),
  )
  writeStamp({ dependencies })
}

function build() {
  const startedMs = Date.now()
  const isBuilt = PACKAGES.every((folder) => existsSync(join(ROOT, folder, 'dist')))
  if (isBuilt && newestSourceMs() < (readStamp().builtMs ?? 0)) return
  step('Building the packages', () =>
    run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b']),
  )
  writeStamp({ ...readStamp(), builtMs: startedMs })
}

async function generate() {
  const script = new URL('../examples/clinic/scripts/generate.mjs', import.meta.url)
  const { isGenerated } = await import(script)
  if (isGenerated()) return
  step('Generating the Prisma clients of the example', () =>
    run(process.execPath, [fileURLToPath(script)]),
  )
}

/** When a source of the build last changed. Folders count: they tell of files removed. */
function newestSourceMs() {
  const configs = [
    'tsconfig.json',
    'tsconfig.base.json',
    ...PACKAGES.map((p) => `${p}/tsconfig.json`),
  ]
  const sources = PACKAGES.flatMap((folder) => [
    `${folder}/src`,
    ...readdirSync(join(ROOT, folder, 'src'), { recursive: true }).map(
      (name) => `${folder}/src/${name}`,
    ),
  ])
  return Math.max(...[...configs, ...sources].map((file) => statSync(join(ROOT, file)).mtimeMs))
}

/** It lies in node_modules and goes with it. */
function readStamp() {
  return existsSync(STAMP) ? JSON.parse(readFileSync(STAMP, 'utf8')) : {}
}

function writeStamp(stamp) {
  writeFileSync(STAMP, JSON.stringify(stamp))
}

function step(title, action) {
  const startedMs = Date.now()
  process.stderr.write(`${title} …${quiet ? '' : '\n'}`)
  action()
  const done = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`
  process.stderr.write(quiet ? ` ${done}\n` : `${title}: ${done}\n`)
}

function run(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: ROOT,
    // On Windows npx is a script, which only a shell can start.
    shell: process.platform === 'win32' && command === 'npx',
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status === 0) return
  const output = [stdout, stderr, error?.message].filter(Boolean).join('\n')
  throw new Error(`${output}\n\`${command} ${args.join(' ')}\` failed.`)
}

/** Two installations at once would break each other. A lock whose owner is gone is taken over. */
function takeLock() {
  mkdirSync(dirname(LOCK), { recursive: true })
  const mine = `${LOCK}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    for (let isSaid = false; !linked(mine, LOCK); isSaid = true) {
      if (!isOwnerAlive()) rmSync(LOCK, { force: true })
      else if (!isSaid) process.stderr.write('Waiting for another setup to end …\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  } finally {
    rmSync(mine)
  }
}

/** Gives the file a second name, at once and with its content; false if the name is taken. */
function linked(file, name) {
  try {
    linkSync(file, name)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function isOwnerAlive() {
  try {
    process.kill(Number(readFileSync(LOCK, 'utf8')), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
