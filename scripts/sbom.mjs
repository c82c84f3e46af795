// Write a bill of materials (CycloneDX 1.6) for each published package: what an application gets with it.
//
//   node scripts/sbom.mjs [folder, default .tmp/sbom]
//
// Versions are those of the lockfile, with the SHA-512 of each archive.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PACKAGES = ['prisma-extension', 'migrator']

/** `name@version` to the SHA-512 of its archive, in hex. */
export function integrityOf(lockfile) {
  const found = lockfile.matchAll(/^ {2}'?(@?[^'\s:]+@[^'\s:]+)'?:\n {4}resolution: \{integrity: sha512-([^}]+)\}/gm) // prettier-ignore
  return new Map([...found].map(([, name, hash]) => [name, Buffer.from(hash, 'base64').toString('hex')])) // prettier-ignore
}

/** @param tree - of `pnpm list --prod --depth Infinity --json`, one package. */
export function bomOf(tree, manifest, integrity) {
  const components = new Map()
  const dependencies = new Map()
  const refOf = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`
  const add = (ref, node) => {
    const children = Object.entries(node.dependencies ?? {}).map(([name, child]) => {
      const version = child.version.startsWith('link:') ? manifest.version : child.version
      const childRef = refOf(child.from ?? name, version)
      const hash = integrity.get(`${child.from ?? name}@${version}`)
      components.set(childRef, componentOf(child.from ?? name, version, childRef, hash))
      add(childRef, child)
      return childRef
    })
    dependencies.set(ref, [...new Set([...(dependencies.get(ref) ?? []), ...children])].sort())
  }
  const root = refOf(manifest.name, manifest.version)
  add(root, tree)
  const byRef = ([a], [b]) => (a < b ? -1 : 1)
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        ...componentOf(manifest.name, manifest.version, root),
        licenses: [{ license: { id: manifest.license } }],
      },
    },
    components: [...components].sort(byRef).map(([, component]) => component),
    dependencies: [...dependencies].sort(byRef).map(([ref, dependsOn]) => ({ ref, dependsOn })),
  }
}

function componentOf(name, version, ref, hash) {
  return {
    type: 'library',
    'bom-ref': ref,
    name,
    version,
    purl: ref,
    ...(hash === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: hash }] }),
  }
}

function main(folder) {
  mkdirSync(folder, { recursive: true })
  const integrity = integrityOf(readFileSync(join(ROOT, 'pnpm-lock.yaml'), 'utf8'))
  for (const name of PACKAGES) {
    const cwd = join(ROOT, 'packages', name)
    const manifest = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
    const list = ['list', '--prod', '--depth', 'Infinity', '--json']
    const output = execFileSync('npx', ['--yes', 'pnpm@10.34.8', ...list], { cwd, encoding: 'utf8', maxBuffer: 1 << 28 }) // prettier-ignore
    const bom = bomOf(JSON.parse(output)[0], manifest, integrity)
    const file = join(folder, `${name}.cdx.json`)
    writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`)
    process.stderr.write(`${file}: ${bom.components.length} packages\n`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  main(resolve(process.argv[2] ?? join(ROOT, '.tmp/sbom')))
