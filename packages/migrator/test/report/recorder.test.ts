import { describe, expect, it } from 'vitest'
import { factsOf, htmlReport, RunRecorder, type RunReport } from '../../src/index.ts'

function recorder(): { recorder: RunRecorder; after: (ms: number) => void } {
  let now = 5_000
  return { recorder: new RunRecorder(() => now), after: (ms) => (now += ms) }
}

const batch = { type: 'batch', model: 'A', pass: 1, superseded: 0, quarantined: 0 } as const

describe('a recorder', () => {
  it('keeps a bounded number of samples, whose last ones are the sums', () => {
    const { recorder: r, after } = recorder()
    for (let i = 0; i < 200_000; i++) {
      after(50)
      r.onEvent({ ...batch, rows: 10, superseded: i % 100 === 0 ? 1 : 0 })
    }
    const { samples, ms, dropped } = r.recording()
    expect(samples.length).toBeLessThan(601)
    expect(samples.length).toBeGreaterThan(250)
    expect(samples.at(-1)).toEqual({ ms, rows: 2_000_000, superseded: 2_000, quarantined: 0 })
    for (const [i, sample] of samples.entries())
      if (i > 0) {
        expect(sample.ms).toBeGreaterThanOrEqual(samples[i - 1]!.ms)
        expect(sample.rows).toBe(sample.ms / 5)
      }
    expect(dropped).toBe(0)
  })

  it('keeps the longest times in which nothing went on, and says how many it has dropped', () => {
    const { recorder: r, after } = recorder()
    for (let i = 0; i < 1_000; i++) {
      after(10)
      r.onEvent({ type: 'throttle', wait: { kind: 'rate', reason: 'rate cap', ms: 1 } })
      after(i === 500 ? 60_000 : 1)
      r.onEvent({ type: 'throttle', wait: null })
    }
    r.onEvent({ type: 'pause', model: 'A', reason: null })
    after(7)
    const { spans, dropped } = r.recording()
    expect(spans).toHaveLength(201)
    expect(dropped).toBe(800)
    expect(Math.max(...spans.map(({ from, to }) => to - from))).toBe(60_000)
    expect(spans.at(-1)).toMatchObject({ kind: 'pause' })
  })
})

const EMPTY: RunReport = {
  unreadable: [],
  unknown: [],
  ...{ direction: 'drain', outcome: 'done', rows: 0, superseded: 0, quarantined: 0 },
  ...{ models: [], seconds: 0 },
}

describe('a page', () => {
  it('is one even of a run that did nothing', () => {
    const { recorder: r } = recorder()
    const page = htmlReport(EMPTY, r.recording(), factsOf({}, {}))
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('escapes names, and tells no address, path, query or reason', () => {
    const { recorder: r, after } = recorder()
    r.onEvent({ type: 'pause', model: 'A', reason: 'because of /home/secret' })
    after(5)
    r.onEvent({
      type: 'throttle',
      wait: { kind: 'health', reason: 'http://user:secret@host/ says 503', ms: 1 },
    })
    const name = `"><script>alert('x')</script>&`
    const counts = { read: 1, changed: 1, superseded: 0, fresh: 0, quarantined: 0 }
    const model = { model: name, fields: [name], outcome: 'done', passes: 1, after: null } as const
    const reconciliation = [{ field: name, ...counts }]
    const report = {
      ...EMPTY,
      models: [{ ...model, rows: 1, superseded: 0, quarantined: 0, reconciliation }],
    }
    const throttle = {
      http: 'http://secret.host/',
      flag: '/run/secret/flag',
      query: 'SELECT secret FROM t',
      maxActiveSessions: 5,
    }
    const page = htmlReport(report, r.recording(), factsOf({ throttle }, { Node: '<22>' }))
    expect(page).not.toMatch(/secret|<script|<22>|http:/)
    expect(page).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;')
    expect(page).toContain('an HTTP endpoint, a flag file, a query, active sessions')
  })
})
