import type { GeneratorOptions } from '@prisma/generator-helper'
import type { ScannedFile } from '../schema/index.ts'
import { scanSchema } from '../schema/index.ts'
import { buildPlan } from './build-plan.ts'
import { checkOutput, checkSettings } from './checks/settings.ts'
import { emitPlan } from './emit.ts'
import { isOurs, readSchemaFiles, removePlan, replaceFile } from './files.ts'
import { reportProblems } from './report.ts'

/**
 * Write the plan of a schema.
 *
 * A run that fails removes the plan of an earlier one. Prisma generates the client even then, and a plan that
 * is not there cannot be taken for the plan of that client.
 *
 * @returns warnings for people.
 * @throws {SchemaError} that names every problem at once.
 */
export async function generate(options: GeneratorOptions): Promise<readonly string[]> {
  const files = (await readSchemaFiles(options.schemaPath)).map(scanSchema)
  const output = options.generator.output?.value ?? ''
  const unusable = checkOutput(options, files, await isOurs(output))
  if (unusable !== null) throw reportProblems([unusable])
  try {
    const { text, warnings } = planText(options, files)
    await replaceFile(output, text)
    return warnings
  } catch (error) {
    await removePlan(output)
    throw error
  }
}

function planText(
  options: GeneratorOptions,
  files: readonly ScannedFile[],
): { text: string; warnings: readonly string[] } {
  const { provider, problems } = checkSettings(options, files)
  const { datamodel } = options.dmmf
  // Which columns are too short depends on the provider; without one the rest is still worth saying.
  const input = { datamodel, schemaText: options.datamodel, files }
  const built = buildPlan({ ...input, provider: provider ?? 'sqlite' })
  const [first, ...others] = [...problems, ...built.problems]
  if (first !== undefined) throw reportProblems([first, ...others])
  return { text: emitPlan(built.source), warnings: built.warnings }
}
