import helper from '@prisma/generator-helper'
import { writeMysqlDdl } from './mysql-ddl.ts'

/** A generator for schemas of tests, which `prisma generate` runs: writes the tables into `output`. */
helper.generatorHandler({
  onManifest: () => ({ prettyName: 'Tables for MySQL', defaultOutput: './ddl.sql' }),
  onGenerate: async (options) => {
    writeMysqlDdl(options)
    return Promise.resolve()
  },
})
