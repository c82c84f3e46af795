import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMPARISONS, NESTED_WRITES, OPERATIONS } from '../../src/query/matrix.ts'
import { datasource, generatorOptions, newFolder, remove } from '../generator/prisma-generate.ts'
import { schemaOf } from './models.ts'

const CAPTURE = 'generator capture {\n  provider = "capture.cjs"\n}\n'

interface Type {
  readonly name: string
  readonly fields: readonly { readonly name: string; readonly args?: readonly { name: string }[] }[]
}

/** What only a document database has. */
const NOT_SQL = ['findRaw', 'aggregateRaw']

describe.each(['postgresql', 'mysql', 'sqlite'] as const)('the tables on %s', (provider) => {
  const dir = newFolder()
  let operations: Record<string, readonly string[]>
  let inputs: readonly Type[]
  afterAll(() => remove(dir))
  beforeAll(async () => {
    const text = datasource(provider) + CAPTURE + schemaOf(provider)
    const { dmmf } = await generatorOptions(dir, { 'schema.prisma': text })
    const { schema, mappings } = dmmf
    inputs = schema.inputObjectTypes.prisma
    const person = mappings.modelOperations.find(({ model }: any) => model === 'Person')
    const roots = schema.outputObjectTypes.prisma.flatMap(({ fields }: Type) => fields)
    operations = Object.fromEntries(
      Object.entries(person)
        .filter(([key, name]) => key !== 'model' && key !== 'plural' && name !== null)
        .map(([key, name]) => {
          const root = roots.find((field: any) => field.name === name)
          return [key.replace(/One$/, ''), root.args.map((arg: any) => arg.name)]
        }),
    )
  })

  it('have every operation, with every argument', () => {
    const missing = Object.entries(operations).flatMap(([name, args]) => {
      if (NOT_SQL.includes(name)) return []
      const operation = OPERATIONS[name]
      if (operation === undefined) return [name]
      return args.filter((arg) => !(arg in operation.arguments)).map((arg) => `${name}.${arg}`)
    })
    expect(Object.keys(operations)).toEqual(expect.arrayContaining(['findUnique', 'upsert']))
    expect(missing).toEqual([])
  })

  it('have every comparison of the types that can be encrypted', () => {
    const filters = inputs.filter(({ name }) =>
      /^(Nested)?(String|Json|Bytes)\w*Filter$/.test(name),
    )
    const names = new Set(filters.flatMap(({ fields }) => fields.map((field) => field.name)))
    expect(names).toContain('startsWith')
    // Aggregates in `having`, which is refused as a whole.
    const known = [...Object.keys(COMPARISONS), 'mode', '_count', '_min', '_max']
    expect([...names].filter((name) => !known.includes(name))).toEqual([])
  })

  it('have every nested write', () => {
    const nested = inputs.filter(
      ({ name }) =>
        /(CreateNested|UpdateOne|UpdateMany)\w*(NestedInput|Without\w+Input)$/.test(name) &&
        /Nested/.test(name),
    )
    const names = new Set(nested.flatMap(({ fields }) => fields.map((field) => field.name)))
    const known = Object.keys(NESTED_WRITES)
    expect(names).toContain('connectOrCreate')
    expect([...names].filter((name) => !known.includes(name))).toEqual([])
  })
})
