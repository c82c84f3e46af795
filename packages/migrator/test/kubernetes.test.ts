import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { Command } from './command.ts'
import { addPatients, clinic, closeWorlds, readAll, world } from './world.ts'

afterEach(closeWorlds)

const FOLDER = new URL('../../../examples/kubernetes/', import.meta.url).pathname

interface Manifest {
  readonly file: string
  readonly kind: string
  readonly spec: any
  readonly container: any
}

const MANIFESTS: readonly Manifest[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) =>
    parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8'), { strict: true }).map(
      (document) => {
        expect(document.errors).toEqual([])
        const { kind, spec } = document.toJS() as { kind: string; spec: any }
        return { file, kind, spec, container: spec.template.spec.containers[0] }
      },
    ),
  )

/** What stands behind `rowseal` in a pod: as the shell of the pod would have it. */
function argsOf({ container }: Manifest, index = 0): string[] {
  const command = container.command as string[]
  if (command[0] !== '/bin/sh') return command.slice(1)
  const printed = command[2]!.replace('exec node_modules/.bin/rowseal', String.raw`printf '%s\n'`)
  const env = { JOB_COMPLETION_INDEX: `${index}` }
  const output = execFileSync('/bin/sh', ['-c', printed], { env, encoding: 'utf8' })
  return output.trimEnd().split('\n')
}

describe('the manifests for Kubernetes', () => {
  it('are four, and use flags that are there', async () => {
    expect(MANIFESTS.map(({ file, kind }) => `${file} ${kind}`)).toEqual([
      'queue.yaml Job',
      'queue.yaml Job',
      'shards.yaml Job',
      'workers.yaml Deployment',
    ])
    const w = await world('sqlite', clinic('sqlite'), { init: false })
    const command = new Command(w)
    for (const manifest of MANIFESTS) {
      const [name, ...rest] = argsOf(manifest)
      const { stdout, code } = await command.run(name!, '--help')
      expect(code).toBe(0)
      for (const flag of rest.filter((word) => word.startsWith('--')))
        expect(stdout).toMatch(new RegExp(`^ +${flag}( |$)`, 'm'))
    }
    command.remove()
  })

  it('name containers, and exit codes that mean what their policies take them for', () => {
    for (const { spec, container } of MANIFESTS) {
      expect(container.name).toBe('rowseal')
      for (const { onExitCodes } of spec.podFailurePolicy?.rules ?? [])
        if (onExitCodes !== undefined) {
          expect(onExitCodes.containerName).toBe('rowseal')
          expect([2, 3]).toEqual(expect.arrayContaining(onExitCodes.values as number[]))
        }
    }
  })

  it('cut every table into as many shares as there are pods, and together do all of it', async () => {
    const job = MANIFESTS.find(({ file }) => file === 'shards.yaml')!
    const { completions, parallelism, completionMode } = job.spec
    expect({ completionMode, parallelism }).toEqual({ completionMode: 'Indexed', parallelism: 4 })
    const w = await world('sqlite', clinic('sqlite'))
    await addPatients(w, 50)
    const values = await readAll(w)
    await w.rotate()
    const command = new Command(w)
    let rows = 0
    for (let index = 0; index < completions; index++) {
      const { code, stdout } = await command.run(...argsOf(job, index), '--now')
      expect(code).toBe(0)
      rows += (JSON.parse(stdout) as { rows: number }).rows
    }
    expect(rows).toBe(50)
    expect(await readAll(w)).toEqual(values)
    expect((await command.run('runs', 'list')).stderr).toMatch(
      /Patient +drain +succeeded +50 .* 4 of 4/,
    )
    command.remove()
  })
})
