import { Command as Program } from 'commander'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { paceChangeOf, paceFlags, paceOf, type PaceFlags } from '../../src/cli/pace-flags.ts'
import { checkPace, type PaceOptions } from '../../src/pace/options.ts'
import {
  bothChanges,
  changedPace,
  overridden,
  parsePace,
  serializePace,
} from '../../src/pace/stored.ts'

const WHOLE: Required<PaceOptions> = {
  targetBatchMs: 250,
  batchRows: 1_000,
  minBatchRows: 5,
  batchBytes: 100_000,
  maxRowsPerSecond: 500,
  maxBytesPerSecond: 5_000_000,
  maxKmsCallsPerSecond: 50,
  throttle: {
    maxReplicationLagMs: 10_000,
    maxActiveSessions: 8,
    maxTransactionMs: 300_000,
    vacuum: true,
    query: 'SELECT false',
    http: 'https://health.example.org/db',
    flag: '/run/rowseal.pause',
    everyMs: 5_000,
  },
}

describe('options of a pace', () => {
  it('have defaults', () => {
    expect(checkPace({})).toEqual({
      targetBatchMs: 500,
      batchRows: 500,
      minBatchRows: 25,
      batchBytes: 4_194_304,
      maxRowsPerSecond: null,
      maxBytesPerSecond: null,
      maxKmsCallsPerSecond: null,
      throttle: { everyMs: 2_000 },
    })
    expect(checkPace({ batchRows: 7 }).minBatchRows).toBe(7)
    expect(checkPace(WHOLE)).toEqual(WHOLE)
    expect(checkPace({ throttle: { flag: 'pause' } }).throttle.flag).toBe(resolve('pause'))
  })

  it.each([
    ['targetBatchMs', [9, 60_001, 1.5, '500', NaN]],
    ['batchRows', [0, 5_001]],
    ['minBatchRows', [0, 2_001]],
    ['batchBytes', [0, 268_435_457]],
    ['maxRowsPerSecond', [0, -1, Infinity]],
    ['maxBytesPerSecond', [999]],
    ['maxKmsCallsPerSecond', [0, 100_001]],
  ])('refuse what is out of bounds for %s', (name, values) => {
    for (const value of values)
      expect(() => checkPace({ [name]: value })).toThrow(RegExp(`^${name} `))
  })

  it.each([
    ['maxReplicationLagMs', [99, '1s']],
    ['maxActiveSessions', [-1]],
    ['maxTransactionMs', [999]],
    ['vacuum', ['yes', 1]],
    ['query', ['', ' ', 'x'.repeat(10_001), 'SELECT\0', 1]],
    ['http', ['', 'health', 'file:///etc/passwd', 'http://user:word@host/', 'http://user@host/']],
    ['flag', ['', 'a\0b', true]],
    ['everyMs', [249]],
    ['lag', [1]],
  ])('refuse what throttle.%s cannot be', (name, values) => {
    for (const value of values)
      expect(() => checkPace({ throttle: { [name]: value } })).toThrow(
        expect.objectContaining({
          name: 'TypeError',
          message: expect.stringMatching(`^throttle.${name} `),
        }),
      )
  })
})

describe('a stored pace', () => {
  it('is read as it was written', () => {
    for (const pace of [{}, WHOLE, { throttle: {} }, { throttle: { vacuum: false } }])
      expect(parsePace(serializePace(pace))).toEqual(pace)
  })

  it('holds an absolute path, and nothing but the pace', () => {
    const options = { models: ['Patient'], batchRows: 9, throttle: { flag: 'pause' } }
    expect(parsePace(serializePace(options))).toEqual({
      batchRows: 9,
      throttle: { flag: resolve('pause') },
    })
    expect(() => serializePace({ batchRows: 0 })).toThrow(TypeError)
  })

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['without format', '{"pace":{}}'],
    ['without pace', '{"format":1}'],
    ['a list for a pace', '{"format":1,"pace":[]}'],
    ['an unknown option', '{"format":1,"pace":{"maxRowPerSecond":1}}'],
    ['an unknown check', '{"format":1,"pace":{"throttle":{"lag":1}}}'],
    ['a number that is text', '{"format":1,"pace":{"maxRowsPerSecond":"1"}}'],
    ['no object for checks', '{"format":1,"pace":{"throttle":null}}'],
    ['text for a format', '{"format":"1","pace":{}}'],
  ])('is refused: %s', (_, text) => {
    expect(() => parsePace(text)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }))
  })

  it('of a newer version is left to that', () => {
    expect(() => parsePace('{"format":2}')).toThrow(
      expect.objectContaining({ code: 'ERR_CHECKPOINT_NEWER' }),
    )
  })

  it('comes before what a run was started with, null too', () => {
    const started = { maxRowsPerSecond: 5, maxBytesPerSecond: 5_000, throttle: { flag: '/p' } }
    const first = serializePace({ maxRowsPerSecond: null, throttle: { flag: null } })
    expect(overridden(started, first)).toEqual({ maxBytesPerSecond: 5_000, throttle: {} })
    const then = serializePace(bothChanges(parsePace(first), { maxBytesPerSecond: null }))
    expect(overridden(started, then)).toEqual({ throttle: {} })
    const last = serializePace(bothChanges(parsePace(then), { maxRowsPerSecond: 9 }))
    expect(overridden(started, last)).toEqual({ maxRowsPerSecond: 9, throttle: {} })
  })

  it('never contradicts what a run was started with', () => {
    const least = serializePace({ minBatchRows: 50 })
    expect(checkPace(overridden({ batchRows: 10 }, least)).batchRows).toBe(50)
    expect(checkPace(overridden({}, least)).batchRows).toBe(500)
    const most = serializePace({ batchRows: 10 })
    expect(checkPace(overridden({ minBatchRows: 20 }, most)).minBatchRows).toBe(10)
  })

  it('is changed where it is said, and null brings the default back', () => {
    const pace = { maxRowsPerSecond: 5, batchRows: 10, throttle: { flag: '/p', vacuum: true } }
    expect(
      changedPace(pace, { maxRowsPerSecond: null, batchRows: 20, throttle: { vacuum: null } }),
    ).toEqual({ batchRows: 20, throttle: { flag: '/p' } })
    expect(changedPace(pace, {})).toEqual(pace)
    expect(changedPace({}, { throttle: { vacuum: true } })).toEqual({ throttle: { vacuum: true } })
  })
})

describe('flags of a pace', () => {
  const flagsOf = (...args: string[]): PaceFlags => {
    const program = paceFlags(new Program())
      .exitOverride()
      .configureOutput({ writeErr: () => null })
    return program.parse(args, { from: 'user' }).opts()
  }

  it('give every option', () => {
    const flags = flagsOf(
      ...'--target-batch-ms 250 --min-batch-rows 5 --max-rows-per-second 500'.split(' '),
      ...'--max-bytes-per-second 5000000 --max-kms-calls-per-second 50'.split(' '),
      ...'--throttle-lag 10s --throttle-sessions 8 --throttle-transaction 5m'.split(' '),
      ...'--throttle-vacuum --throttle-http https://health.example.org/db'.split(' '),
      ...'--throttle-flag /run/rowseal.pause --throttle-every 5000ms'.split(' '),
      ...['--throttle-query', 'SELECT false'],
    )
    expect(paceOf({ ...flags, batchRows: 1_000, batchBytes: 100_000 })).toEqual(WHOLE)
  })

  it('say nothing of what is not there', () => {
    expect(paceOf(flagsOf())).toEqual({})
    expect(paceChangeOf(flagsOf())).toEqual({})
  })

  it('switch off what a run has', () => {
    const change = paceChangeOf(
      flagsOf(
        ...'--max-rows-per-second off --max-bytes-per-second off'.split(' '),
        ...'--max-kms-calls-per-second off --throttle-lag off --throttle-sessions off'.split(' '),
        ...'--throttle-transaction off --no-throttle-vacuum --throttle-query off'.split(' '),
        ...'--throttle-http off --throttle-flag off'.split(' '),
      ),
    )
    const { targetBatchMs, batchRows, minBatchRows, batchBytes } = WHOLE
    expect(changedPace(WHOLE, change)).toEqual({
      ...{ targetBatchMs, batchRows, minBatchRows, batchBytes },
      throttle: { everyMs: 5_000 },
    })
  })

  it.each([
    ['--throttle-lag', '10'],
    ['--throttle-lag', 'soon'],
    ['--throttle-every', 'off'],
    ['--max-rows-per-second', '-1'],
    ['--max-rows-per-second', '1e3'],
    ['--target-batch-ms', 'off'],
  ])('refuse %s %s', (...args) => {
    expect(() => flagsOf(...args)).toThrow(
      expect.objectContaining({ code: 'commander.invalidArgument' }),
    )
  })
})
