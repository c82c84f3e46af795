import { describe, expect, it } from 'vitest'
import type { PlanSource } from '../../src/plan/index.ts'
import { checkPlan, definePlan, digestOf } from '../../src/plan/index.ts'

const models = `/// A person.
model Person {
  id   Int    @id
  /// @encrypted
  name String @default("generator x { // }")
}
`
const blocks = `generator client {
  provider = "prisma-client"
}

datasource db {
  provider = "postgresql"
}

`

function planOf(schemaText: string, provider: PlanSource['provider'] = 'postgresql') {
  return definePlan({ format: 2, digest: digestOf(schemaText), provider, models: {} })
}

describe('digestOf', () => {
  it('is SHA-256 in lowercase hex', () => {
    expect(digestOf(models)).toMatch(/^[0-9a-f]{64}$/)
  })

  it('stays the same for a schema text it was once given', () => {
    expect(digestOf(blocks + models)).toBe(
      '08e2f48d320ab933034fcfd352332ef8fc5516d0d95c7378bab1c07954fbae0c',
    )
  })

  it.each([
    ['without generators and datasource', models],
    ['with others, elsewhere', `${models}\n\n${blocks.replace('client', 'client2')}`],
    ['with other line endings', (blocks + models).replaceAll('\n', '\r\n')],
    ['with white space at the ends of lines', (blocks + models).replaceAll('\n', ' \t\n')],
    ['with more blank lines', blocks.replaceAll('\n\n', '\n\n\n\n') + models],
  ])('is the same %s', (_, text) => {
    expect(digestOf(text)).toBe(digestOf(blocks + models))
  })

  it.each([
    ['an annotation', models.replace('@encrypted', '')],
    ['an option', models.replace('@encrypted', '@encrypted(pad: 8)')],
    ['a slash', models.replace('/// @enc', '// @enc')],
    ['a type', models.replace('String', 'Json  ')],
    ['a string that looks like a block', models.replace('generator x', 'generator y')],
    ['white space in a string', models.replace('x {', 'x  {')],
    ['a further field', models.replace('}\n', '  more Int\n}\n')],
  ])('differs by %s', (_, text) => {
    expect(text).not.toBe(models)
    expect(digestOf(blocks + text)).not.toBe(digestOf(blocks + models))
  })
})

describe('checkPlan', () => {
  it('accepts the plan of the schema the client carries', () => {
    expect(() => checkPlan(planOf(models), blocks + models)).not.toThrow()
  })

  it('refuses the plan of another schema, and says to generate again', () => {
    const stale = models.replace('@encrypted', '')
    expect(() => checkPlan(planOf(stale), blocks + models)).toThrow(
      expect.objectContaining({
        code: 'ERR_PLAN_STALE',
        fix: expect.stringContaining('npx prisma generate'),
      }),
    )
  })

  it('refuses the plan of the same models on another database', () => {
    expect(() => checkPlan(planOf(models, 'sqlite'), blocks + models)).toThrow(
      expect.objectContaining({
        code: 'ERR_PLAN_STALE',
        message: expect.stringMatching(/for sqlite, this Prisma client for postgresql/),
      }),
    )
  })

  it('knows both names of PostgreSQL', () => {
    const text = blocks.replace('postgresql', 'postgres') + models
    expect(() => checkPlan(planOf(models), text)).not.toThrow()
  })
})
