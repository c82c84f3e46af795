/** How often, of all writes. */
const SHARE = 0.004

/** The client, which sometimes freezes its process between sealing a value and sending it, or before COMMIT. */
export function freezing(prisma: any, random: () => number): any {
  return prisma.$extends({
    // Applied after Rowseal: what it sees is sealed.
    query: {
      $allModels: {
        $allOperations: async ({ args, operation, query }: any) => {
          const isWrite = !/^(find|count)/.test(operation)
          if (!isWrite || random() > SHARE) return query(args)
          if (random() < 0.5) await freeze()
          const result = await query(args)
          // Within a transaction its locks are held meanwhile.
          if (random() < 0.5) await freeze()
          return result
        },
      },
    },
  })
}

/** Until somebody sends SIGCONT. */
async function freeze(): Promise<void> {
  await new Promise<void>((sent) => void process.send!('frozen', () => sent()))
  process.kill(process.pid, 'SIGSTOP')
}
