import { metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encrypt, reindex, verify } from '../../src/index.ts'
import { openObserver } from '../../src/observe/observer.ts'
import { at, peopleOf } from '../proof/people.ts'
import { closeWorlds, drain } from '../world.ts'

let spans: InMemorySpanExporter
let measured: InMemoryMetricExporter
let reader: PeriodicExportingMetricReader

beforeEach(() => {
  spans = new InMemorySpanExporter()
  measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 60_000 })
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
  )
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
})
afterEach(async () => {
  await reader.shutdown()
  trace.disable()
  metrics.disable()
  await closeWorlds()
})

const named = (name: string): ReadableSpan[] =>
  spans.getFinishedSpans().filter((span) => span.name === name)

/** Sums (of histograms, counts) by the name of the instrument. */
async function sums(): Promise<Record<string, number>> {
  await reader.forceFlush()
  const all = measured
    .getMetrics()
    .at(-1)!
    .scopeMetrics.flatMap((scope) => scope.metrics)
  return Object.fromEntries(
    all.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints
        .map(({ value }) => (typeof value === 'number' ? value : value.count))
        .reduce((a, b) => a + b, 0),
    ]),
  )
}

describe('what a run tells OpenTelemetry', () => {
  it('is a span for the run, each model and each batch, within each other, and counts of rows', async () => {
    const w = await peopleOf('sqlite', 30, 'sealed')
    await w.rotate()
    const { name } = await w.plain.person.findUnique(at(4))
    await w.plain.person.update({ ...at(4), data: { name: `${name.slice(0, -2)}xx` } })
    const options = { batchRows: 10, minBatchRows: 10, maxRowsPerSecond: 100 }
    await drain(w.config, options)
    const [run] = named('rowseal.run')
    const [model] = named('rowseal.model')
    const batches = named('rowseal.batch')
    expect(run!.parentSpanContext).toBeUndefined()
    expect(model!.parentSpanContext!.spanId).toBe(run!.spanContext().spanId)
    expect(model!.attributes).toEqual({ 'rowseal.direction': 'drain', 'rowseal.model': 'Person' })
    // Three batches, and in the second pass the row that does not open.
    expect(batches.map(({ attributes }) => attributes['rowseal.pass'])).toEqual([1, 1, 1, 2])
    for (const { parentSpanContext } of batches)
      expect(parentSpanContext!.spanId).toBe(model!.spanContext().spanId)
    const rows = batches.map(({ attributes }) => Number(attributes['rowseal.rows']))
    expect(rows.reduce((a, b) => a + b)).toBe(30)
    const found = await sums()
    expect(found).toMatchObject({
      'rowseal.rows': 30,
      'rowseal.quarantined': 2,
      'rowseal.batch.duration': 4,
    })
    expect(found['rowseal.throttled']).toBeGreaterThan(0)
  })

  it('holds no value, no key and no key of a record', async () => {
    const w = await peopleOf('sqlite', 12, 'plain')
    await w.plain.person.update({ ...at(6), data: { login: 'USER2' } })
    await encrypt(w.config)
    await reindex(w.config, { now: true })
    await verify(w.config)
    const directions = named('rowseal.run').map(({ attributes }) => attributes['rowseal.direction'])
    expect(directions).toEqual(['encrypt', 'reindex', 'verify'])
    expect(named('rowseal.model')).toHaveLength(3)
    expect(named('rowseal.batch').length).toBeGreaterThan(2)
    const told = JSON.stringify([
      spans
        .getFinishedSpans()
        .map((span) => [span.name, span.attributes, span.events, span.status]),
      await sums(),
      measured.getMetrics(),
    ])
    expect(told).not.toMatch(/rs1\.|ri1\.|Name \d|User\d|USER2|\+49/i)
    const names = new Set(
      spans.getFinishedSpans().flatMap(({ attributes }) => Object.keys(attributes)),
    )
    expect([...names].sort()).toEqual([
      'rowseal.direction',
      'rowseal.model',
      'rowseal.pass',
      'rowseal.quarantined',
      'rowseal.rows',
      'rowseal.superseded',
    ])
  })

  it('says by its code that a run failed, and not what the database said', async () => {
    const w = await peopleOf('sqlite', 5, 'sealed')
    await w.run('DROP TABLE rowseal_runs')
    await expect(drain(w.config)).rejects.toMatchObject({ code: 'ERR_RUN_TABLES' })
    const [run] = named('rowseal.run')
    expect(run!.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(run!.attributes['error.type']).toBe('ERR_RUN_TABLES')
    expect(run!.events).toEqual([])
  })

  it('is nothing where the API is not there, and runs are as they are', async () => {
    const absent = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    const observer = await openObserver(() => Promise.reject(absent))
    const result = await observer.span('rowseal.run', {}, (within) => {
      within.committed({ pass: 1, rows: 1, superseded: 0, quarantined: 0, ms: 1 })
      within.throttled(null)
      return Promise.resolve('done')
    })
    expect(result).toBe('done')
    expect(spans.getFinishedSpans()).toEqual([])
  })
})
