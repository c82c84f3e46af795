import type { IdFunction } from '../../src/plan/index.ts'

/** Each way in which Prisma makes ids, and the form of those. */
export const FUNCTIONS: Readonly<Record<string, readonly [IdFunction, form: RegExp]>> = {
  uuid: [{ name: 'uuid' }, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/],
  uuid4: [
    { name: 'uuid', argument: 4 },
    /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  ],
  uuid7: [
    { name: 'uuid', argument: 7 },
    /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  ],
  cuid: [{ name: 'cuid' }, /^c[a-z\d]{24}$/],
  cuid2: [{ name: 'cuid', argument: 2 }, /^[a-z][a-z\d]{23}$/],
  ulid: [{ name: 'ulid' }, /^[0-7][\dA-HJKMNP-TV-Z]{25}$/],
  nanoid: [{ name: 'nanoid' }, /^[\w-]{21}$/],
  nanoid9: [{ name: 'nanoid', argument: 9 }, /^[\w-]{9}$/],
}
