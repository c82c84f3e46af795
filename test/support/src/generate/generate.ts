import { prismaCommand } from './command-line.ts'
import { makeFolder, type Order } from './folder.ts'
import { sendOrder } from './service.ts'

/** Make a folder: by the process that serves all workers of a run of tests, elsewhere by Prisma's command. */
export async function generate(wanted: Omit<Order, 'postgresUrl'>): Promise<void> {
  const order = { ...wanted, postgresUrl: process.env['ROWSEAL_TEST_POSTGRES_URL'] }
  const service = process.env['ROWSEAL_TEST_GENERATOR']
  if (service === undefined) await makeFolder(order, prismaCommand)
  else await sendOrder(service, order)
}
