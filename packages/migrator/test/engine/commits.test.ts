import { describe, expect, test } from 'vitest'
import { Commits } from '../../src/engine/commits.ts'

describe('commits', () => {
  const log = () => {
    const said: string[] = []
    const ends: (() => void)[] = []
    const commit = (name: string) => async (): Promise<void> => {
      said.push(`${name} begins`)
      await new Promise<void>((end) => ends.push(end))
      said.push(`${name} ends`)
    }
    const turn = () => new Promise((done) => setImmediate(done))
    return { said, commit, turn, end: () => ends.shift()!() }
  }

  test('go on beside what comes next, one after the other', async () => {
    const { said, commit, turn, end } = log()
    const commits = new Commits(false)
    await commits.add(commit('a'))
    const second = commits.add(commit('b')).then(() => said.push('b taken'))
    await turn()
    expect(said).toStrictEqual(['a begins'])
    end()
    await second
    await turn()
    expect(said.slice(0, 2)).toStrictEqual(['a begins', 'a ends'])
    expect(said.slice(2).sort()).toStrictEqual(['b begins', 'b taken'])
    const finished = commits.finish().then(() => said.push('all'))
    await turn()
    expect(said).not.toContain('all')
    end()
    await finished
    expect(said.slice(-2)).toStrictEqual(['b ends', 'all'])
  })

  test('wait for the page after them where nothing else may go on', async () => {
    const { said, commit, turn, end } = log()
    const commits = new Commits(true)
    await commits.add(commit('a'))
    expect(said).toStrictEqual([])
    const second = commits.add(commit('b'))
    await turn()
    end()
    await second
    expect(said).toStrictEqual(['a begins', 'a ends'])
    const finished = commits.finish()
    await turn()
    end()
    await finished
    await commits.finish()
    expect(said).toStrictEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  test('are abandoned: what is held is not begun, what runs is waited for', async () => {
    const held = new Commits(true)
    const { said, commit, turn, end } = log()
    await held.add(commit('a'))
    await held.abandon()
    await held.finish()
    expect(said).toStrictEqual([])
    const running = new Commits(false)
    await running.add(commit('b'))
    await turn()
    const left = running.abandon().then(() => said.push('left'))
    await turn()
    expect(said).toStrictEqual(['b begins'])
    end()
    await left
    expect(said).toStrictEqual(['b begins', 'b ends', 'left'])
  })

  test('that fail fail the next one, and finish; not abandon', async () => {
    const commits = new Commits(false)
    await commits.add(() => Promise.reject(new Error('mine')))
    await expect(commits.add(() => Promise.resolve())).rejects.toThrow('mine')
    await expect(commits.finish()).rejects.toThrow('mine')
    await commits.abandon()
  })
})
