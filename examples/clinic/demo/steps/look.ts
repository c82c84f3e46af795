import { FIRST_NUMBER, SENTINEL_PLACE } from '../../seed/rows.ts'
import type { Site } from '../site.ts'

const REPORT = { mediaType: 'text/plain' }

/** Print a stored row next to what the application sees. No sentinel is in it. */
export async function look({ app: { client, prisma }, print }: Site): Promise<void> {
  print.heading(3, 'A stored row, beside what the application sees')
  const patient = await prisma.patient.findFirstOrThrow({
    where: { number: { gt: FIRST_NUMBER + SENTINEL_PLACE }, documents: { some: REPORT } },
    orderBy: { number: 'asc' },
    include: { documents: { where: REPORT, take: 1 } },
  })
  const document = patient.documents[0]!
  const [row] = await client.$queryRawUnsafe<Record<string, unknown>[]>(
    `SELECT p."number", p."name", p."birthDate", p."insuranceNumber", p."contact", d."mediaType", d."content"
     FROM "Patient" p JOIN "Document" d ON d."patientId" = p."id" WHERE d."id" = '${document.id}'`,
  )
  const seen: Record<string, unknown> = { ...document, ...patient }
  print.table(
    ['column', 'in the database', 'in the application'],
    Object.entries(row!).map(([column, stored]) => [column, text(stored), text(seen[column])]),
    [15, 31, 26],
  )
}

function text(value: unknown): string {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    return isReadable(bytes)
      ? bytes.toString().replaceAll('\n', ' ')
      : spaced(bytes.toString('hex'))
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isReadable(bytes: Buffer): boolean {
  return bytes.subarray(0, 16).every((byte) => byte >= 0x20 && byte < 0x7f)
}

function spaced(hex: string): string {
  return hex.slice(0, 40).replaceAll(/../g, '$& ')
}
