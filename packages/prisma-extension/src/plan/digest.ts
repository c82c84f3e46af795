import { createHash } from 'node:crypto'
import { SchemaError } from '../errors.ts'
import { scanSchema } from '../schema/scan.ts'
import type { Block } from '../schema/scan.ts'
import type { Plan } from './plan.ts'

const NOT_PART_OF_THE_PLAN: readonly string[] = ['datasource', 'generator']

/**
 * SHA-256, in lowercase hex, of schema text without its datasource and generator blocks.
 *
 * Line endings, white space at line ends and the number of blank lines do not count: none of them
 * changes what a schema says. Comments do count, since annotations are comments.
 */
export function digestOf(schemaText: string): string {
  const { blocks } = scanSchema({ file: '', text: schemaText })
  let text = ''
  let from = 0
  for (const block of blocks.filter(({ kind }) => NOT_PART_OF_THE_PLAN.includes(kind))) {
    text += schemaText.slice(from, block.start)
    from = block.end
  }
  text += schemaText.slice(from)
  const canonical = text
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
  return createHash('sha256').update(canonical, 'utf8').digest('hex')
}

/**
 * Refuse a plan that was not made from the schema the client was generated from.
 *
 * @param schemaText - the schema text the client carries, datasource block included.
 * @throws {SchemaError} `ERR_PLAN_STALE` if the schema or its database provider is another one.
 */
export function checkPlan(plan: Plan, schemaText: string): void {
  if (digestOf(schemaText) !== plan.digest) {
    throw new SchemaError(
      'ERR_PLAN_STALE',
      'The plan was generated from another schema than this Prisma client.',
      { fix: 'Run `npx prisma generate`, and see that its rowseal generator reports no error.' },
    )
  }
  const provider = providerOf(scanSchema({ file: '', text: schemaText }).blocks)
  if (provider !== null && provider !== plan.provider) {
    throw new SchemaError(
      'ERR_PLAN_STALE',
      `The plan was generated for ${plan.provider}, this Prisma client for ${provider}.`,
      { fix: 'Pass the plan that `npx prisma generate` writes beside this client.' },
    )
  }
}

function providerOf(blocks: readonly Block[]): string | null {
  const settings = blocks.find(({ kind }) => kind === 'datasource')?.members ?? []
  const text = settings.find(({ name }) => name === 'provider')?.text ?? ''
  const provider = /"([^"]+)"/.exec(text)?.[1] ?? null
  return provider === 'postgres' ? 'postgresql' : provider
}
