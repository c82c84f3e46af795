import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { MigratorConfig } from '../config.ts'
import { MigrationError } from '../errors.ts'

const NAMES = ['ts', 'mts', 'js', 'mjs'].map((extension) => `rowseal.config.${extension}`)
const JAVASCRIPT = /\.[cm]?js$/

/**
 * Import the configuration. Node loads it and everything behind it itself, with tsx's hooks if it is in
 * TypeScript: a loader of its own would make a second copy of our packages. One in JavaScript has
 * JavaScript behind it, as Node has it, and begins the sooner for that.
 *
 * @param path - of the file; undefined to look in the working folder.
 * @throws {MigrationError} `ERR_CONFIG_INVALID`. What the file itself throws passes through if it is ours.
 */
export async function loadConfig(path: string | undefined): Promise<MigratorConfig> {
  const candidates = path === undefined ? NAMES : [path]
  const found = candidates.map((name) => resolve(name)).find((file) => existsSync(file))
  if (found === undefined)
    throw new MigrationError(
      'ERR_CONFIG_INVALID',
      path === undefined ? 'There is no rowseal.config.ts here.' : `There is no file ${path}.`,
      { fix: 'Run rowseal where it is, or pass --config.' },
    )
  if (!JAVASCRIPT.test(found)) await registerTypeScript()
  const config = await importOrExplain(found)
  if (typeof config === 'object' && config !== null) return config as MigratorConfig
  throw new MigrationError('ERR_CONFIG_INVALID', `${found} has no default export.`, {
    fix: 'Write `export default defineConfig({ client, plan, keyring })`.',
  })
}

async function registerTypeScript(): Promise<void> {
  const { register: registerCommonJs } = await import('tsx/cjs/api')
  const { register } = await import('tsx/esm/api')
  registerCommonJs()
  register()
}

/** TypeScript that becomes CommonJS has its default export in the one that Node sees. */
function defaultOf(module: { default?: unknown }): unknown {
  const inner = Object(module.default) as { default?: unknown; __esModule?: unknown }
  return inner.__esModule === true ? inner.default : module.default
}

function fixOf(file: string, code: unknown, message: unknown): string {
  if (/top-level await/i.test(String(message)))
    return 'Nothing can be awaited at the top of a CommonJS module: export a promise, `export default openKeyring({ root, store }).then((keyring) => defineConfig({ client, plan, keyring }))`.'
  if (!JAVASCRIPT.test(file)) return 'Make `npx tsx` run that file.'
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
    return 'What imports TypeScript has to be TypeScript: call it rowseal.config.ts.'
  return 'Make `node` run that file.'
}

/** The default export, or what the promise gives that it is. */
async function importOrExplain(file: string): Promise<unknown> {
  try {
    return await defaultOf((await import(pathToFileURL(file).href)) as { default?: unknown })
  } catch (error) {
    const { code, fix, message } = Object(error) as Record<string, unknown>
    if (typeof code === 'string' && typeof fix === 'string') throw error
    throw new MigrationError(
      'ERR_CONFIG_INVALID',
      `${file} cannot be loaded: ${String(message ?? error)}`,
      { fix: fixOf(file, code, message), cause: error },
    )
  }
}
