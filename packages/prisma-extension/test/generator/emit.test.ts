import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { emitPlan } from '../../src/generator/emit.ts'
import type { ModelSource, PlanSource } from '../../src/plan/index.ts'
import { newFolder } from './prisma-generate.ts'

async function readBack(text: string): Promise<any> {
  const dir = newFolder()
  try {
    writeFileSync(join(dir, 'rowseal.ts'), text)
    return (await import(pathToFileURL(join(dir, 'rowseal.ts')).href)).plan
  } finally {
    rmSync(dir, { recursive: true })
  }
}

const NAMES = [
  'constructor',
  'class',
  'default',
  "it's",
  '"',
  '\\',
  '${x}',
  '`',
  'a\nb',
  '\u2028',
  '日本',
]

describe('emitPlan', () => {
  it('keeps every name and text as it is', async () => {
    const column = (name: string) => ({ type: 'String', column: name })
    const field = {
      type: 'String',
      list: false,
      nullable: false,
      keyring: 'default',
      plaintext: 'refuse',
      seal: 'on',
      pad: 0,
      bind: NAMES,
    } as const
    const index = { normalize: ['nfc', 'email'], slot: 2, unique: true } as const
    const model: ModelSource = {
      table: NAMES.join(''),
      schema: NAMES.join(' '),
      key: NAMES,
      columns: Object.fromEntries(NAMES.map((name) => [name, column(name)])),
      relations: Object.fromEntries(
        NAMES.map((name) => [
          name,
          { model: name, list: false, boundHere: { [name]: name }, boundThere: { a: name } },
        ]),
      ),
      uniques: { [NAMES.join('_')]: NAMES },
      sealed: Object.fromEntries(
        NAMES.map((name) => [name, { ...field, id: name, default: NAMES }]),
      ),
      indexes: Object.fromEntries(NAMES.map((name) => [name, { ...index, field: name, id: name }])),
      constraints: { [NAMES.join('_')]: NAMES },
      bound: Object.fromEntries(
        NAMES.map((name) => [
          name,
          { type: 'String', maxChars: 9, default: name, generate: { name: 'cuid', argument: 2 } },
        ]),
      ),
    }
    const models = Object.fromEntries(NAMES.map((name) => [name, model]))
    const source: PlanSource = { format: 2, digest: '0'.repeat(64), provider: 'mysql', models }
    const plan = await readBack(emitPlan(source))
    expect(plan.source).toEqual(source)
  })

  it('has no line end, no separator and no control character within a text', () => {
    const table = '\u0000\u001f\u007f\u0085\u2028\u2029\ufeff'
    const empty = {
      key: [],
      columns: {},
      relations: {},
      uniques: {},
      sealed: {},
      indexes: {},
      constraints: {},
      bound: {},
    }
    const source = {
      format: 2,
      digest: '',
      provider: 'sqlite',
      models: { A: { table, ...empty } },
    } as const
    expect(emitPlan(source)).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/,
    )
  })
})
