import helper from '@prisma/generator-helper'
import { generate } from './generate.ts'

helper.generatorHandler({
  onManifest: () => ({
    prettyName: 'Rowseal plan',
    defaultOutput: './generated/rowseal.ts',
  }),
  onGenerate: async (options) => {
    const warnings = await generate(options)
    for (const warning of warnings) process.stdout.write(`rowseal: ${warning}\n`)
  },
})
