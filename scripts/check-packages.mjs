// Pack the two packages as they would be published and look at the tarballs: exports, types, contents.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'rowseal-pack-'))
const bin = (name) => join(root, 'node_modules/.bin', name)
const run = (command, args, cwd = root) => execFileSync(command, args, { cwd, stdio: 'inherit' })
const pnpm = process.env.npm_execpath?.includes('pnpm')
  ? ['pnpm']
  : ['npx', '--yes', 'pnpm@10.34.8']

/** Nothing runs when it is installed, and what it depends on can be had. */
function checkManifest(tarball, { scripts = {}, dependencies, peerDependencies }) {
  const run = Object.keys(scripts).filter((name) => name !== 'build')
  if (run.length > 0) throw new Error(`${tarball} has scripts: ${run.join(', ')}`)
  for (const [name, range] of Object.entries({ ...dependencies, ...peerDependencies }))
    if (!/^[~^]?\d/.test(range)) throw new Error(`${tarball} depends on ${name} ${range}`)
}

try {
  for (const name of ['prisma-extension', 'migrator']) {
    run(
      pnpm[0],
      [...pnpm.slice(1), 'pack', '--pack-destination', folder],
      join(root, 'packages', name),
    )
  }
  for (const tarball of readdirSync(folder)) {
    const path = join(folder, tarball)
    run(bin('publint'), [path, '--strict'])
    // ESM only by design: nothing is promised to require() on Node versions that cannot require ESM.
    run(bin('attw'), [path, '--profile', 'esm-only'])
    const files = execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).trim().split('\n')
    const strange = files.filter(
      (file) =>
        !/^package\/(dist\/.+\.(js|d\.ts|js\.map)|bin\/.+\.mjs|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
          file,
        ),
    )
    if (strange.length > 0)
      throw new Error(`${tarball} holds what it should not: ${strange.join(', ')}`)
    const packed = execFileSync('tar', ['-xzOf', path, 'package/package.json'], {
      encoding: 'utf8',
    })
    checkManifest(tarball, JSON.parse(packed))
  }
} catch (error) {
  console.error(String(error.message ?? error))
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
