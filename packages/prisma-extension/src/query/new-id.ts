import bugsnagCuid from '@bugsnag/cuid'
import { createId as cuid2 } from '@paralleldrive/cuid2'
import { nanoid } from 'nanoid'
import { randomUUID } from 'node:crypto'
import { ulid } from 'ulid'
import { v7 as uuid7 } from 'uuid'
import type { IdFunction } from '../plan/index.ts'

/** A new id, as Prisma would have made it for the column's `@default`. */
export function newId({ name, argument }: IdFunction): string {
  switch (name) {
    case 'uuid':
      return argument === 7 ? uuid7() : randomUUID()
    case 'cuid':
      return argument === 2 ? cuid2() : bugsnagCuid()
    case 'ulid':
      return ulid()
    case 'nanoid':
      return nanoid(argument)
  }
}
