import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The compiled code of our generator. */
export const GENERATOR = fileURLToPath(
  new URL('../../../../packages/prisma-extension/dist', import.meta.url),
)

/** Changes when our generator is built anew with other code. */
export function generatorBuild(): string {
  const hash = createHash('sha256')
  for (const folder of ['schema', 'plan', 'generator']) {
    const path = join(GENERATOR, folder)
    if (!existsSync(path)) continue
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    for (const file of files.filter((name) => name.endsWith('.js')).sort()) {
      hash.update(readFileSync(join(path, file)))
    }
  }
  return hash.digest('hex')
}
