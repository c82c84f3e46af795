import { floorClient, indexValue, openCold, openWarm, sealRecords } from '../floor.ts'
import {
  interleave,
  measurement,
  type Call,
  type Measurement,
  type Plan,
  type Subject,
} from '../measure.ts'
import { DATABASES, fill, MEMBERS, storedIn, TEAMS, withoutDeks, type Stored } from '../fill.ts'
import { person, sealedValues } from '../schema.ts'
import type { Subjects } from '../subjects.ts'

type Database = (typeof DATABASES)[number]

/** How often; more where more time is given. */
export interface Effort {
  readonly isQuick: boolean
  readonly rounds: number
  readonly isLate: () => boolean
}

interface Operation {
  readonly name: string
  readonly calls: number
  /** Rounds before the first that counts, of a full run. Default: 4. */
  readonly warmUp?: number
  readonly call: (db: any, subject: Subject) => Call
  /** The same cipher calls alone. */
  readonly crypto?: () => void
  /** Also under a hook that does nothing. */
  readonly withEmpty?: boolean
  readonly target?: string
  readonly isMet?: (line: Measurement) => boolean
}

/** Rows of `Person` and `Contact` that are there to be read. */
const rowsOf = ({ isQuick }: Effort): number => (isQuick ? 1_000 : 10_000)

/** Everyday operations with three sealed fields of 12, 60 and 400 bytes. */
export async function operations(subjects: Subjects, effort: Effort): Promise<Measurement[]> {
  await fill(subjects, rowsOf(effort))
  const stored = await storedIn(subjects)
  const lines: Measurement[] = []
  const all = [...single(effort, stored), ...many(subjects, effort, stored)]
  for (const operation of all) lines.push(await measured(subjects, operation, effort))
  return lines
}

async function measured(
  subjects: Subjects,
  operation: Operation,
  effort: Effort,
): Promise<Measurement> {
  const { calls, call, crypto, withEmpty, warmUp = 4 } = operation
  const names: Subject[] =
    withEmpty === true ? ['plain', 'empty', 'rowseal', 'peer'] : [...DATABASES]
  const measuredCalls: Partial<Record<Subject, Call>> = Object.fromEntries(
    names.map((name) => [name, call(subjects[name as Database], name)]),
  )
  if (crypto !== undefined) {
    measuredCalls.floor = call(floorClient(subjects.base, crypto), 'floor')
    measuredCalls.crypto = { run: crypto }
  }
  const { isQuick, rounds, isLate } = effort
  const plan: Plan = { rounds, warmUp: isQuick ? 1 : warmUp, calls, isLate }
  const times = await interleave(measuredCalls, plan)
  return measurement({ ...operation, database: subjects.provider }, times)
}

const isWithin =
  (factor: number) =>
  ({ ratioToPlain }: Measurement): boolean =>
    ratioToPlain !== null && ratioToPlain <= factor

/** Of one record: V8 has optimised what it will after about 5,000 calls, which a server has made in its first minute. */
const SINGLE_WARM_UP = 25

/** Operations on one record. */
function single(effort: Effort, { people, indexes }: Stored): Operation[] {
  const calls = effort.isQuick ? 40 : 200
  const rows = rowsOf(effort)
  const at = (i: number): number => ((i * 7919) % rows) + 1
  let next = 100_000
  const aim = { target: '≤ 1.10 × plain', isMet: isWithin(1.1) }
  /** What is written: by the floor, what was sealed before. */
  const values = (id: number, subject: Subject): object =>
    subject === 'floor' ? people[id % people.length]! : sealedValues(id)
  const prepared = (make: (subject: Subject) => unknown, run: (db: any, args: any) => unknown) => {
    return (db: any, subject: Subject): Call => {
      let args: unknown
      return { prepare: () => (args = make(subject)), run: () => run(db, args) }
    }
  }
  const operations: Operation[] = [
    {
      name: 'findUnique',
      calls,
      ...aim,
      withEmpty: true,
      crypto: () => openWarm(1),
      call: (db) => ({ run: (i) => db.person.findUnique({ where: { id: at(i) } }) }),
    },
    {
      name: 'findFirst by blind index',
      calls,
      crypto: () => {
        indexValue()
        openWarm(1)
      },
      call: (db, subject) => {
        let where = {}
        const find = (i: number): object =>
          subject === 'floor'
            ? { emailIndex: indexes.get(at(i)) }
            : { email: sealedValues(at(i)).email }
        return {
          prepare: (i) => (where = find(i)),
          run: () => db.contact.findFirst({ where }),
        }
      },
    },
    {
      name: 'create',
      calls,
      ...aim,
      withEmpty: true,
      crypto: () => sealRecords(1),
      call: prepared(
        (subject) => ({ data: { ...person(++next), ...values(next, subject) } }),
        (db, args) => db.person.create(args),
      ),
    },
    {
      name: 'update',
      calls,
      ...aim,
      withEmpty: true,
      crypto: () => sealRecords(1),
      call: prepared(
        (subject) => ({ where: { id: at(next) }, data: values(next++, subject) }),
        (db, args) => db.person.update(args),
      ),
    },
    {
      name: 'model with nothing encrypted, findUnique',
      calls,
      withEmpty: true,
      call: (db) => ({ run: () => db.country.findUnique({ where: { code: 'x' } }) }),
    },
  ]
  return operations.map((operation) => ({ ...operation, warmUp: SINGLE_WARM_UP }))
}

/** Operations on many records. */
function many({ keyring, provider }: Subjects, effort: Effort, { people }: Stored): Operation[] {
  let next = 1_000_000
  const read = (rows: number, isCold = false): ((db: any, subject: Subject) => Call) => {
    const args = { take: rows, orderBy: { id: 'asc' } }
    return (db, subject) => ({
      ...(isCold && subject === 'rowseal' ? { prepare: () => withoutDeks(keyring) } : {}),
      run: () => db.person.findMany(args),
    })
  }
  const isPostgres = provider === 'postgresql'
  const plus = (ms: number) => (line: Measurement) => line.rowseal! <= line.plain! + ms
  const isCold = (line: Measurement): boolean => plus(16)(line) && line.ratioToPeer! <= 0.55
  const createMany: Operation = {
    name: 'createMany 1,000',
    calls: effort.isQuick ? 1 : 3, // what the database does at once differs more than what we do
    crypto: () => sealRecords(1000),
    ...(isPostgres ? { target: '≤ 1.2 × plain', isMet: isWithin(1.2) } : {}),
    call: (db, subject) => {
      let data: unknown[] = []
      const one = (_: unknown, i: number): object =>
        subject === 'floor' ? { ...person(next++), ...people[i] } : person(next++)
      return {
        prepare: () => (data = Array.from({ length: 1000 }, one)),
        run: () => db.person.createMany({ data }),
      }
    },
  }
  const nested: Operation = {
    name: 'findMany 100 with include, 10 each',
    calls: effort.isQuick ? 1 : 2,
    crypto: () => openWarm(TEAMS * MEMBERS),
    call: (db) => ({ run: () => db.team.findMany({ include: { members: true } }) }),
  }
  const large: Operation[] = [10_000].map((rows) => ({
    name: 'findMany 10,000, DEKs warm',
    calls: 1,
    crypto: () => openWarm(rows),
    call: read(rows),
  }))
  return [
    {
      name: 'findMany 100, DEKs warm',
      calls: effort.isQuick ? 5 : 10,
      crypto: () => openWarm(100),
      call: read(100),
    },
    {
      name: 'findMany 1,000, DEKs cold',
      calls: effort.isQuick ? 1 : 2,
      crypto: () => openCold(1000),
      call: read(1000, true),
      ...(isPostgres ? { target: '≤ plain + 16 ms, ≤ 0.55 × peer', isMet: isCold } : {}),
    },
    {
      name: 'findMany 1,000, DEKs warm',
      calls: effort.isQuick ? 1 : 2,
      crypto: () => openWarm(1000),
      call: read(1000),
      ...(isPostgres ? { target: '≤ plain + 11 ms', isMet: plus(11) } : {}),
    },
    ...(effort.isQuick ? [] : large),
    createMany,
    nested,
  ]
}
