import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { tables } from './page.ts'

const PAGE = new URL('../../../../docs/spec/query-rewriting.md', import.meta.url)
const marked = (name: string): RegExp =>
  new RegExp(`(<!-- table: ${name} -->\n)[^]*?(\n<!-- end -->)`)

/** `ROWSEAL_UPDATE_DOCS=1 npx vitest run packages/prisma-extension/test/matrix/page.test.ts` writes the tables anew. */
if (process.env['ROWSEAL_UPDATE_DOCS'] === '1') {
  let page = readFileSync(PAGE, 'utf8')
  for (const [name, text] of Object.entries(tables())) {
    page = page.replace(
      marked(name),
      (_, start: string, end: string) => `${start}\n${text}\n${end}`,
    )
  }
  writeFileSync(PAGE, page)
}

it.each(Object.entries(tables()))(
  'the page has the table of %s as the code has it',
  (name, text) => {
    const found = marked(name).exec(readFileSync(PAGE, 'utf8'))
    const rows = (found?.[0] ?? '').split('\n').filter((line) => line.startsWith('|'))
    // Prettier pads the cells.
    const bare = (line: string): string => line.replace(/ +\|/g, ' |').replace(/-{3,}/g, '---')
    expect(rows.map(bare)).toEqual(text.split('\n').map(bare))
  },
)
