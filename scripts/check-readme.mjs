// Follow the README as a stranger would: write its files and run its commands, in order, in an empty folder.
// A block counts if a comment stands above it: <!-- file: PATH --> or <!-- run: NAME -->.
// Two things differ: our packages come from the tarballs of this clone, and `prisma db push` is done by the
// WebAssembly schema engine, since the native one cannot be downloaded everywhere.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'rowseal-readme-'))
const PNPM = 'pnpm@10.34.8'

function pack(name) {
  const into = join(folder, 'packages')
  execFileSync('npx', ['--yes', PNPM, 'pack', '--pack-destination', into], {
    cwd: join(root, 'packages', name),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return join(
    into,
    readdirSync(into).find((file) => file.includes(name)),
  )
}

function blocks(text) {
  const pattern = /<!-- (file|run): (\S+) -->\n+```\w+\n([\s\S]*?)```/g
  return [...text.matchAll(pattern)].map(([, kind, name, body]) => ({ kind, name, body }))
}

function script(tarballs) {
  const push = `${join(root, 'node_modules/.bin/tsx')} ${join(root, 'test/support/src/push.ts')} prisma/schema.prisma file:./clinic.db`
  const lines = ['set -eu', 'exec 2>&1', `cd ${folder}/project`]
  for (const { kind, name, body } of blocks(readFileSync(join(root, 'README.md'), 'utf8'))) {
    if (kind === 'file') {
      lines.push(
        `mkdir -p "$(dirname ${name})"`,
        `cat > ${name} <<'END_OF_FILE'`,
        body + 'END_OF_FILE',
      )
      continue
    }
    lines.push(`echo "── ${name}"`)
    for (const line of body.trimEnd().split('\n')) {
      const command = line
        .replace('npx prisma db push', push)
        .replace('@rowseal/prisma-extension', tarballs.extension)
        .replace('@rowseal/migrator', `${tarballs.extension} ${tarballs.migrator}`)
      lines.push(`echo "\\$ ${line.replaceAll(/["$`\\]/g, '\\$&')}"`, command)
    }
  }
  return lines.join('\n')
}

try {
  execFileSync('mkdir', ['-p', join(folder, 'project'), join(folder, 'packages')])
  const tarballs = { extension: pack('prisma-extension'), migrator: pack('migrator') }
  const file = join(folder, 'readme.sh')
  writeFileSync(file, script(tarballs))
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }
  const { status, stdout } = spawnSync('bash', [file], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  process.stdout.write(stdout)
  if (status !== 0) throw new Error(`A command of the README failed (exit ${status}).`)
  for (const expected of ['rs1.', 'Ada@example.org']) {
    if (!stdout.includes(expected))
      throw new Error(`The README's program did not print ${expected}.`)
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
