import { describe, expect, it } from 'vitest'
import { scanSchema } from '../../src/schema/index.ts'

function scan(text: string) {
  return scanSchema({ file: 'schema.prisma', text })
}

/** Comments by what they belong to, as `kind:line:text`. */
function comments(text: string): Record<string, string[]> {
  const { blocks, loose } = scan(text)
  const show = (list: readonly { kind: string; line: number; text: string }[]) =>
    list.map((comment) => `${comment.kind}:${comment.line}:${comment.text}`)
  const entries: [string, string[]][] = blocks.flatMap((block): [string, string[]][] => [
    [block.name, show(block.comments)],
    [`${block.name} loose`, show(block.loose)],
    ...block.members.map((member): [string, string[]] => [
      `${block.name}.${member.name}`,
      show(member.comments),
    ]),
  ])
  entries.push(['loose', show(loose)])
  return Object.fromEntries(entries.filter(([, list]) => list.length > 0))
}

describe('scanSchema', () => {
  it('gives comments to the member behind which or above which they stand', () => {
    expect(
      comments(`/// of A
model A { /// behind the brace
  /// above, across a blank line

  // two slashes
  id Int @id /// behind
  /* block */ name String // behind too
  /// at the end
} /// behind A
/// of nothing`),
    ).toEqual({
      A: ['doc:1:of A'],
      'A loose': ['doc:2:behind the brace', 'doc:8:at the end'],
      'A.id': ['doc:3:above, across a blank line', 'plain:5:two slashes', 'doc:6:behind'],
      'A.name': ['block:7:block', 'plain:7:behind too'],
      loose: ['doc:9:behind A', 'doc:10:of nothing'],
    })
  })

  it('finds no comments, braces or line ends in strings', () => {
    const { blocks } = scan(
      'model A {\n  a String @default("// no { } \\" /* no") /// yes\n  b String @map("/// no") \n}\nmodel B {\n}',
    )
    expect(blocks.map(({ name }) => name)).toEqual(['A', 'B'])
    expect(blocks[0]?.members.map(({ comments }) => comments.map(({ text }) => text))).toEqual([
      ['yes'],
      [],
    ])
    expect(blocks[0]?.members[0]?.code).toBe('a String @default("")')
  })

  it('keeps a statement together while a bracket is open', () => {
    const text =
      'generator x {\n  previewFeatures = [\n    "views", // one\n    "b"\n  ]\n  output = "y"\n}'
    const members = scan(text).blocks[0]?.members
    expect(members?.map(({ name, line }) => `${name}:${line}`)).toEqual([
      'previewFeatures:2',
      'output:6',
    ])
    expect(members?.[0]?.comments).toEqual([{ kind: 'plain', text: 'one', line: 3 }])
  })

  it('counts lines the same with every line ending', () => {
    const text = 'model A {\n  /* a\n  b */\n  id Int @id\n  /// c\n  x Int\n}\n'
    for (const ending of ['\n', '\r\n', '\r']) {
      const [block] = scan(text.replaceAll('\n', ending)).blocks
      expect(block?.members.map(({ name, line }) => [name, line])).toEqual([
        ['id', 4],
        ['x', 6],
      ])
      expect(block?.members[0]?.comments.map(({ text, line }) => [text, line])).toEqual([
        ['a', 2],
        ['b', 3],
      ])
    }
  })

  it('knows fields that are called like blocks, and where a block begins and ends', () => {
    const text = '\n/// doc\nmodel A {\n  model String\n  enum String\n}\nenum E { A B }'
    const { blocks } = scan(text)
    expect(blocks.map(({ kind, name, line }) => [kind, name, line])).toEqual([
      ['model', 'A', 3],
      ['enum', 'E', 7],
    ])
    expect(blocks[0]?.members.map(({ name }) => name)).toEqual(['model', 'enum'])
    expect(text.slice(blocks[0]?.start, blocks[0]?.end)).toMatch(/^model A \{[^]*\}$/)
  })

  it('ends on any text, valid or not', () => {
    for (const text of ['', '}', '{', 'model A {', '"', '/*', 'model A { x (', ')))', 'a {{}}']) {
      expect(() => scan(text)).not.toThrow()
    }
  })
})
