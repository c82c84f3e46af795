import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The WebAssembly build from npm, since the native engine must be downloaded from elsewhere. */
const engine = { loaded: undefined as Promise<any> | undefined }

/**
 * The SQL that creates the tables of a schema, as `prisma migrate` would write it. No MySQL.
 *
 * @param factory - a database to ask for its version; nothing is written.
 */
export async function ddlOf(schema: string, factory: SqlDriverAdapterFactory): Promise<string> {
  engine.loaded ??= load()
  const SchemaEngine = await engine.loaded
  const instance = await SchemaEngine.new(
    { datamodels: [['schema.prisma', schema]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory as never),
  )
  const difference = await instance.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  })
  return difference.stdout
}

async function load(): Promise<any> {
  const file = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const glue = await import(file)
  Object.assign(globalThis, {
    PRISMA_WASM_PANIC_REGISTRY: {
      set_message(message: string): never {
        throw new Error(`The schema engine panicked: ${message}`)
      },
    },
  })
  const { WebAssembly } = globalThis as any
  const module = new WebAssembly.Module(readFileSync(file.replace(/\.js$/, '.wasm')))
  const instance = new WebAssembly.Instance(module, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return glue.SchemaEngine
}
