import { describe, expect, it } from 'vitest'
import { findAnnotations, scanSchema } from '../../src/schema/index.ts'

function find(text: string) {
  return findAnnotations([scanSchema({ file: 'a.prisma', text })])
}

/** `line name: what` of every problem. */
function problems(text: string): string[] {
  return find(text).problems.map(
    ({ place, what }) => `${place.line} ${place.model ?? ''}.${place.field ?? ''}: ${what}`,
  )
}

describe('findAnnotations', () => {
  it('places annotations on the line they stand on', () => {
    const { annotations, problems } = find(
      'model A {\n  /// The address.\n  /// @encrypted(pad: 8)\n  /// More.\n  mail String\n  note String? /// @encrypted\n}',
    )
    expect(problems).toEqual([])
    expect(annotations.map(({ place, annotation }) => [place, annotation.kind])).toEqual([
      [{ file: 'a.prisma', model: 'A', field: 'mail', line: 3 }, 'encrypted'],
      [{ file: 'a.prisma', model: 'A', field: 'note', line: 6 }, 'encrypted'],
    ])
  })

  it.each([
    ['two slashes above', '// @encrypted\n  a String', '2 A.a: @encrypted follows two slashes'],
    ['two slashes behind', 'a String // @encrypted', '2 A.a: @encrypted follows two slashes'],
    ['no space', 'a String//@encrypted', '2 A.a: @encrypted follows two slashes'],
    ['a block comment', '/* @encrypted */\n  a String', '2 A.a: @encrypted is in a block comment'],
    ['a starred block', '/**\n * @encrypted\n */\n  a String', '3 A.a: @encrypted is in a block'],
    [
      '@ignore',
      '/// @encrypted\n  a String? @ignore',
      '2 A.a: @encrypted is on a field with @ignore',
    ],
    ['Unsupported', 'a Unsupported("x")? /// @encrypted', '2 A.a: @encrypted is on an Unsupported'],
    ['a block attribute', '/// @encrypted\n  @@map("x")', '2 A.: @encrypted stands at @@map'],
    ['the end of a model', '/// @encrypted', '2 A.: @encrypted belongs to no field'],
    ['twice', '/// @encrypted\n  a String /// @encrypted', '3 A.a: The field has this annotation'],
    ['misspelt', 'a String /// @encryptd', '2 A.a: @encryptd is no annotation'],
    ['misspelt, two slashes', 'a String // @encrypt', '2 A.a: @encrypt is no annotation'],
    ['forgotten @', '/// encrypted\n  a String', '2 A.a: This could be a misspelt @encrypted'],
  ])('refuses an annotation: %s', (_, body, expected) => {
    const found = problems(`model A {\n  ${body}\n}`)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
  })

  it.each([
    ['model', '/// @encrypted\nmodel A {\n}', '1 A.: @encrypted stands above the model A'],
    ['view', '/// @encrypted\nview A {\n}', '1 A.: @encrypted stands above the view A'],
    ['enum', '/// @encrypted\nenum A {\n}', '1 A.: @encrypted stands above the enum A'],
    ['enum value', 'enum A {\n X /// @encrypted\n}', '2 A.X: @encrypted stands in the enum A'],
    ['type', 'type A {\n x String /// @encrypted\n}', '2 A.x: @encrypted stands in the type A'],
    ['datasource', 'datasource d {\n  /// @encrypted\n  provider = "x"\n}', '2 d.provider: @encr'],
    [
      '@@ignore',
      'model A {\n x Int /// @encrypted\n @@ignore\n}',
      '2 A.x: @encrypted is in a model',
    ],
    ['nothing', '/// @encrypted\n', '1 .: @encrypted belongs to no field'],
  ])('refuses an annotation on: %s', (_, text, expected) => {
    const found = problems(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(expected)
  })

  it('lets code that was commented out, strings and prose be', () => {
    expect(
      find(`/// Write to ada@encrypted.org, @see https://example.org
// Encrypted fields follow.
model A {
  // mail String /// @encrypted
  // /// @encrypted
  // phone String
  text String @default("/// @encrypted") // encrypted
}`),
    ).toEqual({ annotations: [], problems: [] })
  })
})
