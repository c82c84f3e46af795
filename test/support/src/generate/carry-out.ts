import { generatorBuild } from './build.ts'
import { makeFolder, type Order } from './folder.ts'
import { loadPrisma } from './loaded-prisma.ts'

/** Carries out orders in this process, one at a time. */
export function carryOutHere(): (order: Order) => Promise<void> {
  const build = generatorBuild()
  const prismaGenerate = loadPrisma()
  return async (order) => {
    if (order.build !== build)
      throw new Error('rowseal-generator was built anew since the tests began: start them again.')
    await makeFolder(order, prismaGenerate)
  }
}
