import type { GeneratorOptions } from '@prisma/generator-helper'
import { relative } from 'node:path'
import { SchemaError } from '../errors.ts'
import type { Provider } from '../plan/plan.ts'
import { buildPlan } from './build-plan.ts'
import { emitPlan } from './emit.ts'
import { isOurs, readSchemaFiles, removePlan, replaceFile } from './files.ts'
import { reportProblems } from './report.ts'

const PROVIDERS: Readonly<Record<string, Provider>> = {
  postgresql: 'postgresql',
  mysql: 'mysql',
  sqlite: 'sqlite',
}

/**
 * Write the plan of a schema.
 *
 * A failed run removes the plan of an earlier one: Prisma generates the client even then, and a plan that is
 * not there cannot be taken for the plan of this schema.
 *
 * @returns warnings for people.
 * @throws {SchemaError} that names every problem at once.
 */
export async function generate(options: GeneratorOptions): Promise<readonly string[]> {
  const output = outputOf(options)
  if (!(await isOurs(output))) {
    throw new SchemaError(
      'ERR_PLAN_FORMAT',
      `${relative(process.cwd(), output)} is there already, and was not written by this generator.`,
      { fix: 'Choose another `output` in the generator block, or remove the file.' },
    )
  }
  try {
    const provider = providerOf(options)
    const files = await readSchemaFiles(options.schemaPath)
    const { datamodel } = options.dmmf
    const built = buildPlan({ datamodel, schemaText: options.datamodel, files, provider })
    const [first, ...others] = built.problems
    if (first !== undefined) throw reportProblems([first, ...others])
    await replaceFile(output, emitPlan(built.source))
    return built.warnings
  } catch (error) {
    await removePlan(output)
    throw error
  }
}

function outputOf({ generator }: GeneratorOptions): string {
  const output = generator.output?.value ?? ''
  if (/\.m?[jt]s$/.test(output) && !output.endsWith('.d.ts')) return output
  throw new SchemaError(
    'ERR_PLAN_FORMAT',
    'The `output` of the rowseal generator is no module file.',
    {
      fix: 'Name a file that ends in .ts, .mts, .js or .mjs, such as output = "./generated/rowseal.ts".',
    },
  )
}

function providerOf({ datasources }: GeneratorOptions): Provider {
  const name = datasources[0]?.activeProvider ?? 'none'
  const provider = PROVIDERS[name]
  if (provider !== undefined) return provider
  throw new SchemaError('ERR_FIELD_UNSUPPORTED', `Rowseal does not support the provider ${name}.`, {
    fix: 'Use postgresql, mysql or sqlite.',
  })
}
