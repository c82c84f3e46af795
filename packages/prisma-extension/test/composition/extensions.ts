/** Extensions as applications write them, and a schema they fit. Each goes on any client. */

export const schema = (): string => `
model Owner {
  id        Int       @id
  name      String
  /// @encrypted
  email     String
  /// @encrypted
  notes     Json?
  /// @encrypted
  scan      Bytes?
  deletedAt DateTime?
  pets      Pet[]
  card      Card?
}
model Pet {
  id        Int       @id
  name      String
  /// @encrypted
  chip      String?
  deletedAt DateTime?
  ownerId   Int?
  owner     Owner?    @relation(fields: [ownerId], references: [id])
}
model Card {
  id      Int    @id
  /// @encrypted
  number  String
  ownerId Int?   @unique
  owner   Owner? @relation(fields: [ownerId], references: [id])
}
model Shop {
  id   Int    @id
  name String
}
`

export const ADA = {
  id: 1,
  name: 'Ada',
  email: 'ada',
  notes: [1],
  scan: new Uint8Array([1]),
}

export type Extend = (client: any) => any

type Hook = (params: {
  readonly operation: string
  readonly args: any
  readonly query: (args: any) => Promise<any>
}) => unknown

/** One hook for all operations on owners. */
export const after = (client: any, hook: Hook): any =>
  client.$extends({ query: { owner: { $allOperations: hook } } })

const SOFT = ['Owner', 'Pet']
const READS = ['findUnique', 'findFirst', 'findMany', 'count', 'aggregate']
const DELETED_AT = new Date('2026-01-05T08:00:00Z')

/**
 * Rows stay and are marked. `delete` and `deleteMany` become updates through the client in `$final`: the one
 * the application uses, with every extension applied.
 */
export const softDelete: Extend = (client) => {
  const $final = { client: undefined as any }
  const query = {
    $allModels: {
      async $allOperations({ model, operation, args, query }: any) {
        if (!SOFT.includes(model)) return query(args)
        if (READS.includes(operation))
          return query({ ...args, where: { ...args.where, deletedAt: null } })
        const data = { deletedAt: DELETED_AT }
        if (operation === 'delete') return $final.client[model].update({ ...args, data })
        if (operation === 'deleteMany') return $final.client[model].updateMany({ ...args, data })
        return query(args)
      },
    },
  }
  return client.$extends({ client: { $final }, query })
}

/** Keeps what it sees of every operation in `$lines`. */
export const logger: Extend = (client) => {
  const $lines: unknown[] = []
  const query = {
    async $allOperations({ model, operation, args, query }: any) {
      const result = await query(args)
      $lines.push(JSON.parse(JSON.stringify({ model, operation, args, result })))
      return result
    },
  }
  return client.$extends({ client: { $lines }, query })
}

/** Fields computed from sealed ones, from keys, from each other, and in the place of a sealed one. */
export const computed: Extend = (client) =>
  client.$extends({
    result: {
      owner: {
        contact: {
          needs: { name: true, email: true },
          compute: (owner: any) => `${owner.name} <${owner.email}>`,
        },
        badge: { needs: { id: true }, compute: (owner: any) => `#${owner.id}` },
        greeting: {
          needs: { contact: true, badge: true },
          compute: (owner: any) => `Dear ${owner.contact} ${owner.badge}`,
        },
        size: { needs: { scan: true }, compute: (owner: any) => owner.scan?.byteLength ?? 0 },
        first: { needs: { notes: true }, compute: (owner: any) => owner.notes?.[0] ?? null },
      },
      pet: {
        chip: { needs: { chip: true }, compute: (pet: any) => pet.chip?.toUpperCase() ?? 'NONE' },
        tag: { needs: { id: true, chip: true }, compute: (pet: any) => `${pet.id}/${pet.chip}` },
      },
      card: {
        last: { needs: { number: true }, compute: (card: any) => card.number.slice(-4) },
      },
    },
  })

/** Methods on models and on the client, which call whatever client they are called on. */
export const methods = (Prisma: any): Extend => {
  const context = (self: unknown): any => Prisma.getExtensionContext(self)
  const $allModels = {
    exists(this: unknown, where: unknown): Promise<boolean> {
      return context(this)
        .count({ where })
        .then((count: number) => count > 0)
    },
  }
  const client = {
    $emails(this: unknown): Promise<string[]> {
      return context(this)
        .owner.findMany({ orderBy: { id: 'asc' } })
        .then((owners: any[]) => owners.map(({ email }) => email))
    },
  }
  return (base) => base.$extends({ model: { $allModels }, client })
}
