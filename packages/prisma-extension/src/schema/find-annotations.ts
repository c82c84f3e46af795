import type { SchemaErrorCode } from '../errors.ts'
import type { Annotation } from './annotation.ts'
import { readComment } from './read-comment.ts'
import type { Block, Comment, Member, ScannedFile } from './scan.ts'

/** Where something stands in a schema, for people to go to. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly model?: string
  readonly field?: string
}

/** Something in a schema that must be changed. `what` and `fix` are whole sentences. */
export interface Problem {
  readonly code: SchemaErrorCode
  readonly place: Place
  readonly what: string
  readonly fix: string
}

/** An annotation on a field that Prisma hands to generators. */
export interface PlacedAnnotation {
  readonly place: Place & { readonly model: string; readonly field: string }
  readonly annotation: Annotation
}

export interface FoundAnnotations {
  readonly annotations: readonly PlacedAnnotation[]
  readonly problems: readonly Problem[]
}

/** Blocks whose members are fields of records. */
const HAS_FIELDS: readonly string[] = ['model', 'view']

/** Read every comment of a schema, wherever it stands. What Prisma would drop silently is a problem. */
export function findAnnotations(files: readonly ScannedFile[]): FoundAnnotations {
  const annotations: PlacedAnnotation[] = []
  const problems: Problem[] = []
  for (const { file, blocks, loose } of files) {
    for (const comment of loose) problems.push(...stray(comment, { file }, 'belongs to no field'))
    for (const block of blocks) {
      const found = inBlock(file, block)
      annotations.push(...found.annotations)
      problems.push(...found.problems)
    }
  }
  return { annotations, problems }
}

function inBlock(file: string, block: Block): FoundAnnotations {
  const at = { file, model: block.name }
  const above = block.comments.flatMap((comment) =>
    stray(
      comment,
      at,
      `stands above the ${block.kind} ${block.name}, which cannot be encrypted as a whole`,
    ),
  )
  const loose = block.loose.flatMap((comment) =>
    stray(comment, at, 'stands below the last field, so it belongs to none'),
  )
  const members = block.members.map((member) => inMember(file, block, member))
  return {
    annotations: members.flatMap(({ annotations }) => annotations),
    problems: [...above, ...members.flatMap(({ problems }) => problems), ...loose],
  }
}

function inMember(file: string, block: Block, member: Member): FoundAnnotations {
  const place = { file, model: block.name, field: member.name }
  const reason = whyNot(block, member)
  if (reason !== null) {
    const problems = member.comments.flatMap((comment) => stray(comment, place, reason))
    return { annotations: [], problems }
  }
  const annotations: PlacedAnnotation[] = []
  const problems: Problem[] = []
  for (const comment of member.comments) {
    const reading = readable(comment) ? readComment(comment.text) : null
    if (reading === null) continue
    const at = { ...place, line: comment.line }
    if (!reading.ok)
      problems.push({ code: 'ERR_ANNOTATION_INVALID', place: at, ...reading.mistake })
    else if (comment.kind !== 'doc') problems.push(...stray(comment, place, ''))
    else if (annotations.some(({ annotation }) => annotation.kind === reading.annotation.kind)) {
      problems.push({
        code: 'ERR_ANNOTATION_INVALID',
        place: at,
        what: 'The field is annotated twice.',
        fix: 'Keep one of the annotations.',
      })
    } else annotations.push({ place: at, annotation: reading.annotation })
  }
  return { annotations, problems }
}

/** Why a member cannot carry an annotation, as the end of a sentence that begins with the annotation. */
function whyNot(block: Block, member: Member): string | null {
  if (!HAS_FIELDS.includes(block.kind))
    return `stands in the ${block.kind} ${block.name}, where nothing is encrypted`
  if (member.name.startsWith('@@')) return `stands at ${member.name}, which is no field`
  if (/@ignore\b/.test(member.code))
    return 'is on a field with @ignore, which Prisma Client does not see'
  if (block.members.some(({ name }) => name === '@@ignore')) {
    return `is in a model with @@ignore, which Prisma Client does not see`
  }
  if (/^\S+\s+Unsupported\b/.test(member.code)) {
    return 'is on an Unsupported field, which Prisma Client can neither read nor write'
  }
  return null
}

/** A comment that holds an annotation, where none can be. */
function stray(comment: Comment, at: Omit<Place, 'line'>, reason: string): Problem[] {
  const reading = readable(comment) ? readComment(comment.text) : null
  if (reading === null) return []
  const place = { ...at, line: comment.line }
  if (!reading.ok) return [{ code: 'ERR_ANNOTATION_INVALID', place, ...reading.mistake }]
  const name = `@${/^@([\w:]+)/.exec(comment.text)?.[1] ?? ''}`
  const slashes = comment.kind === 'plain' ? 'two slashes' : 'a block comment'
  const isDoc = comment.kind === 'doc'
  return [
    {
      code: 'ERR_ANNOTATION_INVALID',
      place,
      what:
        isDoc || reason !== ''
          ? `${name} ${reason}.`
          : `${name} is written with ${slashes}, which is no documentation of the field: nothing would be encrypted.`,
      fix:
        isDoc || reason !== ''
          ? 'Move it to the line above the field it is meant for, or remove it.'
          : `Write it with three slashes: /// ${comment.text}`,
    },
  ]
}

/** Code that somebody has commented out is not read. */
function readable({ kind, text }: Comment): boolean {
  return kind !== 'plain' || !text.includes('///')
}
