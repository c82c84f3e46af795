import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { compileFunction, constants } from 'node:vm'
import { ARGUMENTS, PRISMA, SETTINGS } from './command-line.ts'
import type { PrismaGenerate } from './folder.ts'
import { runGeneratorsHere } from './generators.ts'

/**
 * Load the code of Prisma's command line once, to run it for one schema after the other: a process of its own
 * spends nine tenths of its time on loading.
 *
 * Changes this process: arguments, environment, working directory, starting of processes, standard output.
 */
export function loadPrisma(): PrismaGenerate {
  process.argv = [process.execPath, PRISMA, ...ARGUMENTS]
  for (const [name, value] of Object.entries(SETTINGS)) process.env[name] ??= value
  runGeneratorsHere()
  const main = mainFunction(join(dirname(PRISMA), 'cli.js'))
  return async (folder) => {
    process.chdir(folder)
    const { exitCode, text } = await captured(main)
    if (exitCode !== 0) throw new Error(`prisma generate failed:\n${text}`)
  }
}

type Main = () => Promise<number>

/** What the file calls at its end, instead of the call; it takes its arguments from those of the process. */
function mainFunction(file: string): Main {
  const code = readFileSync(file, 'utf8')
  const [, start = '', main = ''] =
    /function ([\w$]+)\(\)\{([\w$]+)\(\)\.then\([\w$]+=>\{[\w$]+!==0&&process\.exit\(/.exec(code) ??
    []
  const end = code.lastIndexOf(`;${start}();\n`)
  if (main === '' || end === -1) throw new Error('This release of Prisma starts in another way.')
  const body = `${code.slice(0, end)};return ${main}`
  const names = ['exports', 'require', 'module', '__filename', '__dirname']
  const load = compileFunction(body, names, {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  const exports = {}
  return load(exports, createRequire(file), { exports }, file, dirname(file)) as Main
}

/** As the file does it: what is thrown is printed, and the process would end with 1. */
async function captured(main: Main): Promise<{ exitCode: number; text: string }> {
  let text = ''
  const streams = [process.stdout, process.stderr]
  const writes = streams.map((stream) => stream.write)
  for (const stream of streams)
    stream.write = (chunk: Uint8Array | string) => {
      text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
      return true
    }
  try {
    return { exitCode: await main(), text }
  } catch (error) {
    return { exitCode: 1, text: `${text}Error: ${(error as Error).message}\n` }
  } finally {
    for (const [i, stream] of streams.entries()) stream.write = writes[i]!
  }
}
