import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const { bomOf, integrityOf } = await import(new URL('scripts/sbom.mjs', ROOT).href)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const manifest = (name: string): any => JSON.parse(read(`packages/${name}/package.json`))
const page = read('docs/dependencies.md')

/** Lifecycle scripts that npm and pnpm run by themselves where a package is installed, or packed. */
const BY_THEMSELVES = /^(pre|post)|^(install|prepare|dependencies)$/

describe.each(['prisma-extension', 'migrator'])('%s', (name) => {
  const { dependencies, peerDependencies, scripts } = manifest(name)

  it('depends at run time on what docs/dependencies.md gives a reason for, and on nothing else', () => {
    const part = page.split('\n## ').find((text) => text.startsWith(`@rowseal/${name}\n`))!
    const rows = [...part.matchAll(/^\| `([^`]+)` +\| (\S.+?) *\|$/gm)]
    const said = rows.map(([, dependency]) => dependency)
    expect(said).toHaveLength(new Set(said).size)
    expect(said.sort()).toEqual(
      [...Object.keys(dependencies), ...Object.keys(peerDependencies)].sort(),
    )
    for (const [, , reason] of rows) expect(reason!.length).toBeGreaterThan(10)
  })

  it('runs nothing when it is installed', () => {
    expect(Object.keys(scripts).filter((script) => BY_THEMSELVES.test(script))).toEqual([])
  })
})

it('the bill of materials names every package below one, with the hash of its archive', () => {
  const { name, version, license } = manifest('prisma-extension')
  const tree = {
    dependencies: {
      'lru-cache': { from: 'lru-cache', version: '11.5.3' },
      '@bugsnag/cuid': { version: '3.2.2', dependencies: { 'lru-cache': { version: '11.5.3' } } },
    },
  }
  const bom: any = bomOf(tree, { name, version, license }, integrityOf(read('pnpm-lock.yaml')))
  expect(bom.components.map((one: any) => one.purl)).toEqual([
    'pkg:npm/%40bugsnag/cuid@3.2.2',
    'pkg:npm/lru-cache@11.5.3',
  ])
  for (const { hashes } of bom.components) expect(hashes[0].content).toMatch(/^[0-9a-f]{128}$/)
  expect(bom.dependencies).toContainEqual({
    ref: 'pkg:npm/%40bugsnag/cuid@3.2.2',
    dependsOn: ['pkg:npm/lru-cache@11.5.3'],
  })
})

it('workflows pin what they run by commit, and grant no more than they say', () => {
  const folder = new URL('.github/workflows/', ROOT)
  expect(existsSync(folder)).toBe(true)
  for (const file of readdirSync(folder)) {
    const text = read(`.github/workflows/${file}`)
    for (const [, used] of text.matchAll(/uses: (\S+)/g)) expect(used).toMatch(/@[0-9a-f]{40}$/)
    expect(text).toMatch(/^permissions: \{\}$/m)
  }
  const publish = read('.github/workflows/publish.yml')
  expect(publish.match(/npm publish .*--provenance/g)).toHaveLength(2)
  expect(publish.match(/id-token: write/g)).toHaveLength(1)
})
