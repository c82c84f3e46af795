import type { GeneratorOptions } from '@prisma/generator-helper'
import { relative, sep } from 'node:path'
import type { Provider } from '../../plan/plan.ts'
import type { Block, Place, Problem, ScannedFile } from '../../schema/index.ts'
import { scanSchema } from '../../schema/index.ts'

const PROVIDERS: Readonly<Record<string, Provider>> = {
  postgresql: 'postgresql',
  mysql: 'mysql',
  sqlite: 'sqlite',
}

const WHY_NOT: Readonly<Record<string, string>> = {
  cockroachdb: 'its statements for background re-encryption are not written yet',
  sqlserver: 'its statements for background re-encryption are not written yet',
  mongodb: 'it works through SQL',
}

/** Problems with the generator and datasource blocks, and the provider if it is one that is supported. */
export function checkSettings(
  options: GeneratorOptions,
  files: readonly ScannedFile[],
): { provider: Provider | null; problems: Problem[] } {
  const { generator, datasources } = options
  const at = placeOf(files, 'generator', generator.name)
  const problems = [
    ...Object.keys(generator.config).map((name) => unknownSetting(at, name)),
    ...checkOrder(options, at),
  ]
  const datasource = datasources[0]
  const name = datasource?.activeProvider ?? 'none'
  const provider = PROVIDERS[name] ?? null
  if (provider === null) {
    problems.push({
      code: 'ERR_FIELD_UNSUPPORTED',
      place: placeOf(files, 'datasource', datasource?.name ?? ''),
      what: `Rowseal does not support the provider ${name}: ${WHY_NOT[name] ?? 'it does not know it'}.`,
      fix: 'Use postgresql, mysql or sqlite, or remove the rowseal generator.',
    })
  }
  return { provider, problems }
}

/**
 * Why the plan cannot be written to its output, or null. The same text serves every kind of module file.
 *
 * @param isFree - nothing is there, or a plan of an earlier run.
 */
export function checkOutput(
  { generator }: GeneratorOptions,
  files: readonly ScannedFile[],
  isFree: boolean,
): Problem | null {
  const output = generator.output?.value ?? ''
  const isModule = /\.m?[jt]s$/.test(output) && !/\.d\.m?ts$/.test(output)
  if (isModule && isFree) return null
  return {
    code: 'ERR_ANNOTATION_INVALID',
    place: placeOf(files, 'generator', generator.name),
    ...(isModule
      ? {
          what: `output names ${relative(process.cwd(), output)}, which this generator did not write and would replace.`,
          fix: 'Choose another output, or remove that file.',
        }
      : {
          what: 'output must name a module file that ends in .ts, .mts, .js or .mjs.',
          fix: 'Write output = "./generated/rowseal.ts".',
        }),
  }
}

function unknownSetting(place: Place, name: string): Problem {
  return {
    code: 'ERR_ANNOTATION_INVALID',
    place,
    what: `The rowseal generator has no setting ${name}.`,
    fix: 'Remove it. There are provider and output.',
  }
}

/** The `prisma-client` generator empties its folder, or refuses to write into one it does not know. */
function checkOrder(options: GeneratorOptions, place: Place): Problem[] {
  const { generator, otherGenerators, datamodel } = options
  const order = scanSchema({ file: '', text: datamodel })
    .blocks.filter(({ kind }) => kind === 'generator')
    .map(({ name }) => name)
  const later = otherGenerators.find(
    ({ name, provider, output }) =>
      provider.value === 'prisma-client' &&
      order.indexOf(name) > order.indexOf(generator.name) &&
      isInside(output?.value ?? '', generator.output?.value ?? ''),
  )
  if (later === undefined) return []
  return [
    {
      code: 'ERR_ANNOTATION_INVALID',
      place,
      what: `The generator ${later.name} comes later and empties its folder, in which the plan would be.`,
      fix: `Move generator ${generator.name} below generator ${later.name}, or give it an output elsewhere.`,
    },
  ]
}

function isInside(folder: string, file: string): boolean {
  const path = relative(folder, file)
  return path !== '..' && !path.startsWith(`..${sep}`)
}

function placeOf(files: readonly ScannedFile[], kind: string, name: string): Place {
  const isIt = (block: Block) => block.kind === kind && block.name === name
  for (const { file, blocks } of files) {
    const block = blocks.find(isIt)
    if (block !== undefined) return { file, line: block.line }
  }
  return { file: files[0]?.file ?? 'the schema', line: 1 }
}
