import type { MigratorConfig } from '../src/index.ts'
import { beforeWrite } from './intercept.ts'
import type { World } from './world.ts'

/** Stops a run ahead of a statement. Gives what lets it go on to its end. */
export async function freeze(
  w: World,
  run: (config: MigratorConfig) => Promise<unknown>,
  statement: RegExp,
): Promise<() => Promise<unknown>> {
  const config = await w.another()
  let goOn = (): void => undefined
  let owner: Promise<unknown> = Promise.resolve()
  await new Promise<void>((isFrozen) => {
    const stop = (): Promise<void> => {
      isFrozen()
      return new Promise((done) => (goOn = done))
    }
    const client = beforeWrite(config.client, statement, stop)
    owner = run({ ...config, client }).catch((error: unknown) => error)
    void owner.then(() => isFrozen())
  })
  return () => {
    goOn()
    return owner
  }
}
