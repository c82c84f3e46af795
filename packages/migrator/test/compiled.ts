import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** Below the package, so that what they import is found. */
const OUT = fileURLToPath(new URL('../.tmp/compiled', import.meta.url))

/** A folder of TypeScript as JavaScript, which Node starts with at once. Made once for each name. */
export function compiled(from: string, name = basename(from)): string {
  const to = join(OUT, name)
  if (existsSync(to)) return to
  const work = `${to}.${process.pid}`
  const files = readdirSync(from, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((one) => one.endsWith('.ts') && !one.endsWith('.test.ts'))) {
    const { outputText } = ts.transpileModule(readFileSync(join(from, file), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        rewriteRelativeImportExtensions: true,
      },
    })
    const path = join(work, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, outputText)
  }
  try {
    renameSync(work, to)
  } catch (error) {
    // Another worker may have made the same one in the meantime.
    if (!existsSync(to)) throw error
  }
  return to
}
