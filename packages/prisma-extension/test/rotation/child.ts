import { instance, type Provider } from './world.ts'

// A process that does what it is told on the same table as others, and says how it ended.

export interface Task {
  readonly kind: keyof typeof tasks
  readonly value: string
  /** An id that nobody else uses. */
  readonly id: number
  readonly former?: string
}

const [provider, url] = process.argv.slice(2) as [Provider, string]
const { prisma, base } = await instance(provider, url)

const tasks = {
  create: async ({ id, value }: Task) => {
    await prisma.account.create({ data: { id, email: value } })
    return 1
  },
  createMany: async ({ id, value }: Task) => {
    const { count } = await prisma.account.createMany({
      data: [{ id, email: value }],
      skipDuplicates: true,
    })
    return count
  },
  upsert: async ({ id, value }: Task) => {
    const found = await prisma.account.upsert({
      where: { email: value },
      create: { id, email: value },
      // With something to update, Prisma leaves the whole of it to PostgreSQL.
      update: { seen: { increment: 1 } },
    })
    return found.id === id ? 1 : 0
  },
  connectOrCreate: async ({ id, value }: Task) => {
    const account = { connectOrCreate: { where: { email: value }, create: { id, email: value } } }
    const login = await prisma.login.create({ data: { id, account } })
    return login.accountId === id ? 1 : 0
  },
  rename: async ({ value, former }: Task) => {
    await prisma.account.update({ where: { email: former }, data: { email: value } })
    return 1
  },
  find: async ({ value }: Task) => {
    const one = await prisma.account.findUnique({ where: { email: value } })
    const many = await prisma.account.count({ where: { email: { in: [value] } } })
    return one?.email === value && many === 1 ? 1 : 0
  },
}

process.on('message', (task: Task | 'end') => {
  if (task === 'end') return void base.$disconnect().then(() => process.disconnect())
  tasks[task.kind](task).then(
    (done) => process.send!({ done }),
    (error: unknown) => {
      const { code, message } = error as { code?: string; message: string }
      process.send!({ code: code ?? message })
    },
  )
})
process.send!('ready')
