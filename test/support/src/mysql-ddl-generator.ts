import helper from '@prisma/generator-helper'
import { writeFileSync } from 'node:fs'
import { mysqlDdl } from './mysql-ddl.ts'

/** A generator for schemas of tests, which `prisma generate` runs: writes the tables into `output`. */
helper.generatorHandler({
  onManifest: () => ({ prettyName: 'Tables for MySQL', defaultOutput: './ddl.sql' }),
  onGenerate: async ({ dmmf, generator }) => {
    writeFileSync(generator.output?.value ?? 'ddl.sql', mysqlDdl(dmmf.datamodel))
    return Promise.resolve()
  },
})
