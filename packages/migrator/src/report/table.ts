import { Html, markup } from './html.ts'
import { count } from './numbers.ts'

class Heading extends Html {}

/** The cell that says what its row is about. */
export function head2(name: string): Heading {
  return new Heading(markup`${name}`.text)
}

/** Numbers to the right; on a narrow screen each row is a list. @param isPlain - without its head. */
export function table(
  names: readonly string[],
  rows: readonly (readonly (Html | string | number)[])[],
  caption: string,
  isPlain = false,
): Html {
  const isNumber = names.map((_, i) => rows.some((row) => typeof row[i] === 'number'))
  const cell = (value: Html | string | number, i: number): Html => {
    if (value instanceof Heading) return markup`<th scope="row">${value}</th>`
    const text = typeof value === 'number' ? count(value) : value
    const name = names[i]!
    if (name === '') return markup`<td>${text}</td>`
    return markup`<td data-name="${name}" class="${isNumber[i]! ? 'n' : ''}"><span>${text}</span></td>`
  }
  const heads = names.map((name, i) =>
    isNumber[i]!
      ? markup`<th scope="col" class="n">${name}</th>`
      : markup`<th scope="col">${name}</th>`,
  )
  return markup`<div class="scroll">
    <table aria-label="${caption}">
      ${
        isPlain
          ? null
          : markup`<thead>
              <tr>
                ${heads}
              </tr>
            </thead>`
      }
      <tbody>
        ${rows.map(
          (row) =>
            markup`<tr>
              ${row.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
