import { styleText } from 'node:util'

const WIDTH = 80

/** Text for people, 80 columns wide. */
export interface Printer {
  readonly stream: NodeJS.WriteStream
  title(text: string): void
  /** A numbered heading. */
  heading(number: number, text: string): void
  line(text?: string): void
  dim(text: string): void
  /** Rows of equally wide columns under dim headings. */
  table(
    headings: readonly string[],
    rows: readonly (readonly string[])[],
    widths: readonly number[],
  ): void
  check(ok: boolean, name: string, says: string): void
  /** Overwrites itself on a terminal; says nothing elsewhere. */
  progress(text: string | null): void
}

export function createPrinter(stream: NodeJS.WriteStream): Printer {
  const isColoured = stream.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    isColoured ? styleText(format, text) : text
  const line = (text = ''): void => void stream.write(`${text}\n`)
  return {
    stream,
    line,
    title: (text) => line(`\n${style('bold', text)}`),
    heading: (number, text) => line(`\n${style('bold', `${number}  ${text}`)}`),
    dim: (text) => line(style('dim', `   ${text}`)),
    table(headings, rows, widths) {
      const format = (cells: readonly string[]): string =>
        `   ${cells.map((cell, i) => fit(cell, widths[i]!)).join('  ')}`.trimEnd()
      line(style('dim', format(headings)))
      for (const row of rows) line(format(row))
    },
    check(ok, name, says) {
      const mark = ok ? style('green', 'ok    ') : style('red', 'FAILED')
      line(`   ${mark}  ${name.padEnd(16)}${says}`)
    },
    progress(text) {
      if (stream.isTTY)
        stream.write(`\r${' '.repeat(WIDTH - 1)}\r${text === null ? '' : `   ${text}`}`)
    },
  }
}

export function count(number: number): string {
  return number.toLocaleString('en-US')
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
}

/** Cut or fill a text to a width; what is cut ends in `…`. */
function fit(text: string, width: number): string {
  const chars = Array.from(text)
  return chars.length > width ? `${chars.slice(0, width - 1).join('')}…` : text.padEnd(width)
}
