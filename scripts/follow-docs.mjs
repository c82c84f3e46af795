// Follow the README and the guides as a stranger would: write their files and run their commands, in order, in an
// empty folder. `node scripts/follow-docs.mjs [guide]…`: all of them, or the README and those named.
//
//   <!-- file: PATH -->                    the block below is this file
//   <!-- run: NAME -->                     the commands below, one a line, have to succeed
//   <!-- run: NAME; fails -->              the last of them has to fail
//   <!-- run: NAME; 31 days later -->      with the clock so much further
//   <!-- expect: TEXT -->                  what was run last printed this
//
// Four things differ: our packages come from the tarballs of this clone; `prisma db push` is done by the
// WebAssembly schema engine, since the native one cannot be downloaded everywhere; `aws` asks the tests' KMS; and
// no command waits for other instances, of which there are none.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis } from './follow/redis.mjs'

const root = new URL('..', import.meta.url).pathname
const tsx = join(root, 'node_modules/.bin/tsx')
const folder = mkdtempSync(join(tmpdir(), 'rowseal-docs-'))
const project = join(folder, 'project')
const PNPM = 'pnpm@10.34.8'
const GUIDES = [
  'rotation',
  'compromise',
  'kms-outage',
  'tenant-shredding',
  'staleness-index',
  'many-machines',
  'proof',
  'quarantine',
]

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

/** What a page says is to be done, in its order. */
function stepsOf(page) {
  const text = readFileSync(join(root, page), 'utf8')
  const pattern =
    /<!-- (file|run): (\S+?)(; .*?)? -->\n+```\w+\n([\s\S]*?)```|<!-- expect: (.*?) -->/g
  return [...text.matchAll(pattern)].map(([, kind, name, how = '', body, expected]) =>
    kind === undefined ? { kind: 'expect', expected } : { kind, name, how, body },
  )
}

const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The shell script that does it. The output of each step is shown, and kept for what is expected of it. */
function scriptOf(steps, tarballs) {
  const push = `${tsx} ${join(root, 'test/support/src/push.ts')} prisma/schema.prisma file:./clinic.db`
  const lines = []
  for (const { kind, name, how, body, expected } of steps) {
    if (kind === 'file') {
      lines.push(`mkdir -p "$(dirname ${name})"`, `printf %s ${quoted(body)} > ${name}`)
    } else if (kind === 'expect') {
      lines.push(
        `grep -qF ${quoted(expected)} out || fail ${quoted(`it does not say ${expected}`)}`,
      )
    } else {
      lines.push(...runOf(name, how, body, push, tarballs))
    }
  }
  return lines
}

function runOf(name, how, body, push, tarballs) {
  const commands = body.trimEnd().split('\n')
  const later = /(\d+) days later/.exec(how)?.[1]
  const lines = [`echo ${quoted(`── ${name}${how}`)}`, ': > out']
  if (later !== undefined) lines.push(`export DAYS_LATER=${later}`)
  for (const [i, line] of commands.entries()) {
    const command = line
      .replace('npx prisma db push', push)
      .replace(/^npx rowseal (rotate|drain)(?! --)/, 'npx rowseal $1 --now')
      .replace(/^npx rowseal (worker|drain --shard \S+)/, '$& --now')
      .replace('@rowseal/prisma-extension', tarballs.extension)
      .replace('@rowseal/migrator', `${tarballs.extension} ${tarballs.migrator}`)
    const mustFail = how.includes('fails') && i === commands.length - 1
    lines.push(
      `echo ${quoted(`$ ${line}`)}`,
      `{ ${mustFail ? '! ' : ''}${command}\n} > step 2>&1 || { cat step; fail ${quoted(line)}; }`,
      'cat step; cat step >> out',
    )
  }
  if (later !== undefined) lines.push('unset DAYS_LATER')
  return lines
}

function follow(name, lines, env) {
  const file = join(folder, `${name}.sh`)
  const start = [
    'set -eu',
    `cd ${project}`,
    'fail() { echo "FAILED: $1"; exit 1; }',
    `export NODE_OPTIONS="--import ${new URL('follow/clock.mjs', import.meta.url)}"`,
  ]
  writeFileSync(file, [...start, ...lines, ''].join('\n'))
  console.log(`═══ ${name}`)
  const { status, stdout } = spawnSync('bash', [file], {
    env: {
      ...process.env,
      ...env,
      NODE_NO_WARNINGS: '1',
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  process.stdout.write(stdout)
  if (status !== 0) throw new Error(`A command of ${name} failed (exit ${status}).`)
  return stdout
}

/** A KMS for one guide, and what finds it. */
async function startKms() {
  const kms = spawn(tsx, [join(root, 'test/support/src/kms/main.ts'), '--alias', 'alias/none'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = await once(kms.stdout.setEncoding('utf8'), 'data')
  const env = {
    AWS_ENDPOINT_URL_KMS: JSON.parse(line).url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'guide',
    AWS_SECRET_ACCESS_KEY: 'guide',
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
  }
  return { env, stop: () => kms.stdin.end() }
}

async function main(guides) {
  for (const path of [project, join(folder, 'packages'), join(folder, 'bin')]) {
    mkdirSync(path, { recursive: true })
  }
  const aws = join(root, 'scripts/follow/aws.mjs')
  writeFileSync(join(folder, 'bin/aws'), `#!/bin/sh\nexec node ${aws} "$@"\n`, { mode: 0o755 })
  const tarballs = { extension: pack('prisma-extension'), migrator: pack('migrator') }
  const shown = follow('README', scriptOf(stepsOf('README.md'), tarballs), {})
  for (const expected of ['rs1.', 'Ada@example.org']) {
    if (!shown.includes(expected))
      throw new Error(`The README's program did not print ${expected}.`)
  }
  const again = ['npm install --silent --no-fund @aws-sdk/client-kms']
  follow('the KMS client', again, {})
  const config = stepsOf('README.md').filter(({ name }) => name === 'rowseal.config.ts')
  for (const guide of guides) {
    const kms = await startKms()
    const redis = guide === 'many-machines' ? await startRedis() : null
    try {
      const fresh = ['rm -f clinic.db*', ...scriptOf(config, tarballs)]
      const push = [{ kind: 'run', name: 'tables', how: '', body: 'npx prisma db push' }]
      const steps = [
        ...push,
        ...stepsOf('docs/guides/README.md'),
        ...stepsOf(`docs/guides/${guide}.md`),
      ]
      follow(guide, [...fresh, ...scriptOf(steps, tarballs)], { ...kms.env, ...redis?.env })
    } finally {
      redis?.stop()
      kms.stop()
    }
  }
}

try {
  const named = process.argv.slice(2)
  await main(named.length > 0 ? named : GUIDES)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
