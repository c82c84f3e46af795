import type { SchemaErrorCode } from '../errors.ts'
import type { Annotation } from './annotation.ts'
import { readComment } from './read-comment.ts'
import type { Block, Member, ScannedFile } from './scan.ts'
import type { Comment } from './tokens.ts'

/** Where something stands in a schema, for people to go to. */
export interface Place {
  readonly file: string
  readonly line: number
  /** The block's name, a model's as a rule. */
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

/** Why an annotation cannot stand where it does: the end of a sentence that begins with it, and a way out. */
interface Objection {
  readonly why: string
  readonly fix: string
}

/** Blocks whose members are fields of records. */
const HAS_FIELDS: readonly string[] = ['model', 'view']

const MOVE = 'Move it to the line above the field it is meant for, or remove it.'

const BY_COMMENT_KIND: Readonly<Record<Comment['kind'], ((text: string) => Objection) | null>> = {
  doc: null,
  plain: (text) => ({
    why: 'follows two slashes: Prisma drops such a comment, and the field would not be encrypted',
    fix: `Write three: /// ${text}`,
  }),
  block: (text) => ({
    why: 'is in a block comment, which not every version of Prisma reads',
    fix: `Write it with three slashes: /// ${text}`,
  }),
}

/** Read every comment of a schema, wherever it stands. What Prisma would drop silently is a problem. */
export function findAnnotations(files: readonly ScannedFile[]): FoundAnnotations {
  const found = files.flatMap(({ file, blocks, loose }) => [
    {
      annotations: [],
      problems: refuseAll(loose, { file }, { why: 'belongs to no field', fix: MOVE }),
    },
    ...blocks.map((block) => inBlock(file, block)),
  ])
  return {
    annotations: found.flatMap(({ annotations }) => annotations),
    problems: found.flatMap(({ problems }) => problems),
  }
}

function inBlock(file: string, block: Block): FoundAnnotations {
  const at = { file, model: block.name }
  const above = `stands above the ${block.kind} ${block.name}, which cannot be encrypted as a whole`
  const members = block.members.map((member) => inMember(file, block, member))
  return {
    annotations: members.flatMap(({ annotations }) => annotations),
    problems: [
      ...refuseAll(block.comments, at, { why: above, fix: MOVE }),
      ...members.flatMap(({ problems }) => problems),
      ...refuseAll(block.loose, at, { why: 'belongs to no field', fix: MOVE }),
    ],
  }
}

function inMember(file: string, block: Block, member: Member): FoundAnnotations {
  const objection = objectionTo(block, member)
  if (objection !== null) {
    const field = member.name.startsWith('@@') ? {} : { field: member.name }
    const problems = refuseAll(member.comments, { file, model: block.name, ...field }, objection)
    return { annotations: [], problems }
  }
  const at = { file, model: block.name, field: member.name }
  const annotations: PlacedAnnotation[] = []
  const problems: Problem[] = []
  for (const comment of member.comments) {
    const reading = read(comment)
    if (reading === null) continue
    const place = { ...at, line: comment.line }
    const byKind = BY_COMMENT_KIND[comment.kind]
    if (!reading.ok || byKind !== null) {
      problems.push(...refuseAll([comment], at, byKind?.(comment.text) ?? null))
    } else if (annotations.some(({ annotation }) => annotation.kind === reading.annotation.kind)) {
      const what = 'The field has this annotation already.'
      problems.push({ code: 'ERR_ANNOTATION_INVALID', place, what, fix: 'Keep one of them.' })
    } else {
      annotations.push({ place, annotation: reading.annotation })
    }
  }
  return { annotations, problems }
}

function objectionTo(block: Block, member: Member): Objection | null {
  if (!HAS_FIELDS.includes(block.kind)) {
    return {
      why: `stands in the ${block.kind} ${block.name}, where nothing is encrypted`,
      fix: MOVE,
    }
  }
  if (member.name.startsWith('@@')) {
    return { why: `stands at ${member.name}, which is no field`, fix: MOVE }
  }
  if (block.members.some(({ name }) => name === '@@ignore')) {
    return {
      why: 'is in a model with @@ignore, which Prisma Client does not have',
      fix: 'Remove @@ignore, or the annotation.',
    }
  }
  if (/@ignore\b/.test(member.code)) {
    return {
      why: 'is on a field with @ignore, which Prisma Client does not have',
      fix: 'Remove @ignore, or the annotation.',
    }
  }
  if (/^\S+\s+Unsupported\b/.test(member.code)) {
    return {
      why: 'is on an Unsupported field, which Prisma Client can neither read nor write',
      fix: 'Remove it, or declare the field as String, Json or Bytes.',
    }
  }
  return null
}

/** A problem for each of the comments that holds an annotation, or a misspelt one. */
function refuseAll(
  comments: readonly Comment[],
  at: Omit<Place, 'line'>,
  objection: Objection | null,
): Problem[] {
  return comments.flatMap((comment): Problem[] => {
    const reading = read(comment)
    if (reading === null) return []
    const place = { ...at, line: comment.line }
    if (!reading.ok) return [{ code: 'ERR_ANNOTATION_INVALID', place, ...reading.mistake }]
    if (objection === null) return []
    const what = `${/^@[\w:]+/.exec(comment.text)?.[0] ?? 'The annotation'} ${objection.why}.`
    return [{ code: 'ERR_ANNOTATION_INVALID', place, what, fix: objection.fix }]
  })
}

/** Of comments with two slashes, only what has an `@` is read, and no code that was commented out. */
function read({ kind, text }: Comment) {
  const isProse = kind === 'plain' && (!text.includes('@') || text.includes('///'))
  return isProse ? null : readComment(text)
}
