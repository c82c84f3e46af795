import type { DMMF } from '@prisma/generator-helper'
import type { Problem, ScannedFile } from '../../schema/index.ts'
import { readComment } from '../../schema/index.ts'

/**
 * The text and Prisma must agree on what is annotated. Prisma decides which comment belongs to which field,
 * and which files belong to the schema; a field that it takes for annotated and we do not would stay plaintext.
 */
export function checkAgreement(
  { models }: DMMF.Datamodel,
  files: readonly ScannedFile[],
): Problem[] {
  return models.flatMap((model) =>
    model.fields.flatMap((field): Problem[] => {
      const where = placeOf(files, model.name, field.name)
      const prisma = (field.documentation ?? '').split('\n').map(bare).filter(isAnnotation)
      if (prisma.join('\n') === where.annotations.join('\n')) return []
      return [
        {
          code: 'ERR_ANNOTATION_INVALID',
          place: { file: where.file, line: where.line, model: model.name, field: field.name },
          what: 'Prisma and Rowseal read different annotations here.',
          fix: 'Put each annotation on a line of its own with three slashes, directly above the field.',
        },
      ]
    }),
  )
}

function placeOf(files: readonly ScannedFile[], model: string, field: string) {
  for (const { file, blocks } of files) {
    const block = blocks.find(
      ({ kind, name }) => name === model && ['model', 'view'].includes(kind),
    )
    const member = block?.members.find(({ name }) => name === field)
    if (member === undefined) continue
    const texts = member.comments.filter(({ kind }) => kind !== 'plain').map(({ text }) => text)
    return { file, line: member.line, annotations: texts.filter(isAnnotation) }
  }
  return { file: files[0]?.file ?? 'the schema', line: 1, annotations: [] }
}

/** Prisma 7 keeps the second star of a block comment. */
function bare(line: string): string {
  return line.trim().replace(/^\*\s*/, '')
}

function isAnnotation(text: string): boolean {
  return readComment(text) !== null
}
