import { count, duration } from './numbers.ts'
import { Html, markup } from './html.ts'
import type { Recording, Sample, Span } from './recorder.ts'

/** Units of the drawing, which is stretched to the width of the page; its labels are not. */
const WIDTH = 1000
const HEIGHT = 100
/** Rates are of this many pieces of the run: of each batch alone they would be a blur. */
const RATES = 120

const KINDS: Readonly<Record<Span['kind'], string>> = {
  pause: 'paused by an operator',
  health: 'held back by a health check',
  rate: 'held back by a rate cap',
  fence: 'waited until every instance follows',
}

/** Rows done over time and rows per second, with what held the run back. */
export function chart(recording: Recording): Html {
  const { samples, ms, passes, spans } = recording
  const most = Math.max(1, samples.at(-1)!.rows)
  const rates = ratesOf(samples, ms)
  const fastest = Math.max(1, ...rates.map(({ rate }) => rate))
  const done = samples.map((one) => point(one.ms / Math.max(1, ms), one.rows / most))
  const rate = rates.map((one) => point(one.at, one.rate / fastest))
  const bands = spans.map((span) => band(span, ms))
  const ends = passes.map(({ ms: at }) => {
    const x = round((at / Math.max(1, ms)) * WIDTH)
    return markup`<line class="pass" x1="${x}" x2="${x}" y1="0" y2="${HEIGHT}" />`
  })
  const area = `M0 ${HEIGHT}L${done.join('L')}L${WIDTH} ${HEIGHT}Z`
  return markup`<div class="card">
    ${plot('Rows done', '', `${count(most)} rows in ${duration(ms)}`, most, ms, [
      ...bands,
      ...ends,
      markup`<path class="area" d="${area}" /><path class="done" d="M${done.join('L')}" />`,
    ])}
    ${plot('Rows per second', 'low', `at most ${count(fastest)} rows per second`, fastest, ms, [
      ...bands,
      ...ends,
      markup`<path class="rateline" d="M${rate.join('L')}" />`,
    ])}
    ${key(recording)}
  </div>`
}

function plot(
  title: string,
  kind: string,
  summary: string,
  most: number,
  ms: number,
  content: readonly Html[],
): Html {
  const lines = [0, 0.5, 1].map((share) => {
    const y = HEIGHT * share
    return markup`<line class="grid" x1="0" x2="${WIDTH}" y1="${y}" y2="${y}" />`
  })
  const times = [0, 0.5, 1].map(
    (share) => markup`<span>${share === 0 ? '0' : duration(ms * share)}</span>`,
  )
  return markup`<h3>${title}</h3>
    <div class="plot">
      <div class="y" aria-hidden="true">
        <span>${count(most)}</span><span>${count(most / 2)}</span><span>0</span>
      </div>
      <svg
        class="${kind}"
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        aria-label="${title}: ${summary}"
      >
        ${lines}${content}
      </svg>
      <div class="x" aria-hidden="true">${times}</div>
    </div>`
}

function band({ from, to, kind }: Span, ms: number): Html {
  const x = (from / Math.max(1, ms)) * WIDTH
  const width = Math.max(1, ((to - from) / Math.max(1, ms)) * WIDTH)
  return markup`<rect
    class="${kind}"
    x="${round(x)}"
    width="${round(width)}"
    y="0"
    height="${HEIGHT}"
  />`
}

function key({ spans, passes, dropped }: Recording): Html {
  const kinds = (Object.keys(KINDS) as Span['kind'][]).flatMap((kind) => {
    const own = spans.filter((span) => span.kind === kind)
    const ms = own.reduce((sum, { from, to }) => sum + to - from, 0)
    if (own.length === 0) return []
    const patch = markup`<svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
      <rect class="${kind}" width="1" height="1" />
    </svg>`
    return [markup`<li>${patch}${KINDS[kind]}: ${duration(ms)}</li>`]
  })
  const line = markup`<svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
    <line class="pass" x1="0" x2="1" y1=".5" y2=".5" />
  </svg>`
  return markup`<ul class="key">
    ${passes.length === 0 ? null : markup`<li>${line}end of a pass</li>`}${kinds}
    ${dropped === 0 ? null : markup`<li>${count(dropped)} more of these are not shown</li>`}
  </ul>`
}

function ratesOf(samples: readonly Sample[], ms: number): { at: number; rate: number }[] {
  const pieces = Math.min(RATES, Math.max(1, samples.length - 1))
  const rowsAt = (time: number): number => {
    const next = samples.findIndex((one) => one.ms >= time)
    if (next <= 0) return next === 0 ? samples[0]!.rows : samples.at(-1)!.rows
    const [a, b] = [samples[next - 1]!, samples[next]!]
    return a.rows + ((b.rows - a.rows) * (time - a.ms)) / Math.max(1e-9, b.ms - a.ms)
  }
  return Array.from({ length: pieces }, (_, i) => {
    const [from, to] = [(i / pieces) * ms, ((i + 1) / pieces) * ms]
    const rate = ((rowsAt(to) - rowsAt(from)) * 1000) / Math.max(1e-9, to - from)
    return { at: pieces === 1 ? i : i / (pieces - 1), rate }
  })
}

/** @param x @param y - from 0 to 1, from the left and from below. */
function point(x: number, y: number): string {
  return `${round(x * WIDTH)} ${round((1 - y) * HEIGHT)}`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
