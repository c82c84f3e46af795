import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SchemaError } from '../../src/errors.ts'
import { replaceFile } from '../../src/generator/files.ts'
import { generate } from '../../src/generator/generate.ts'
import { datasource, generatorOptions, newFolder, remove } from './prisma-generate.ts'

const dir = newFolder()
afterAll(() => remove(dir))

const SCHEMA = `generator rowseal {
  provider = "capture.cjs"
}
${datasource('sqlite')}
model Person {
  id   Int    @id
  name String /// @encrypted
  note String
}
`
const schemaFile = join(dir, 'schema.prisma')
const output = join(dir, 'rowseal.ts')

describe('generate', () => {
  let options: any
  beforeAll(async () => {
    options = await generatorOptions(dir, { 'schema.prisma': SCHEMA })
  })

  it('writes the plan and nothing beside it', async () => {
    const before = readdirSync(dir)
    expect(await generate(options)).toEqual([])
    expect(readdirSync(dir).sort()).toEqual([...before, 'rowseal.ts'].sort())
    expect(readFileSync(output, 'utf8')).toContain("name: { type: 'String'")
  })

  it.each([
    ['lacks an annotation that Prisma has read', SCHEMA.replace('/// @encrypted', '')],
    [
      'has an annotation that Prisma has not read',
      SCHEMA.replace('note String', '$& /// @encrypted'),
    ],
    ['has other options than Prisma has read', SCHEMA.replace('@encrypted', '@encrypted(pad: 8)')],
    ['does not have the model at all', datasource('sqlite')],
  ])('refuses text that %s, and removes the former plan', async (_, text) => {
    writeFileSync(schemaFile, SCHEMA)
    await generate(options)
    writeFileSync(schemaFile, text)
    const error: unknown = await generate(options).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SchemaError)
    expect(String(error)).toContain('Prisma and Rowseal read different annotations here.')
    expect(existsSync(output)).toBe(false)
  })

  it('says so when the plan cannot be written', async () => {
    writeFileSync(schemaFile, SCHEMA)
    writeFileSync(join(dir, 'blocked'), 'a file where a folder should be')
    const into = { ...options.generator, output: { value: join(dir, 'blocked/rowseal.ts') } }
    await expect(generate({ ...options, generator: into })).rejects.toThrow('ENOTDIR')
  })

  it('leaves a folder that has the name of the plan, and no temporary file beside it', async () => {
    const folder = join(dir, 'folder.ts')
    mkdirSync(folder)
    const onFolder = { ...options.generator, output: { value: folder } }
    await expect(generate({ ...options, generator: onFolder })).rejects.toThrow('did not write')
    await expect(replaceFile(folder, 'text')).rejects.toThrow()
    expect(readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
