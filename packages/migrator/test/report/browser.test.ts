import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromiumPath } from '@rowseal/test-support'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Command } from '../command.ts'
import { at, peopleOf } from '../proof/people.ts'
import { closeWorlds } from '../world.ts'

const executablePath = chromiumPath()

/** A report that the command wrote, in Debian's Chromium. */
describe.skipIf(executablePath === null)('the report of a run in a browser', () => {
  let command: Command
  let browser: Browser
  let file: string
  let stdout: string
  beforeAll(async () => {
    const w = await peopleOf('sqlite', 300, 'sealed')
    await w.rotate()
    const { name } = await w.plain.person.findUnique(at(4))
    await w.plain.person.update({ ...at(4), data: { name: `${name.slice(0, -2)}xx` } })
    command = new Command(w)
    file = join(command.folder, 'report.html')
    const flags = ['--now', '--proof', '--json', '--batch-rows', '20', '--report', file]
    const run = await command.run('drain', ...flags)
    expect([run.code, existsSync(file)]).toEqual([3, true])
    stdout = run.stdout
    const args = ['--no-sandbox', '--disable-gpu']
    browser = await chromium.launch({ executablePath: executablePath!, args })
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    command.remove()
    await closeWorlds()
  })

  /** The page, with what it asked for and what the browser had to say. */
  async function open(
    colorScheme: 'light' | 'dark',
    width: number,
  ): Promise<{ page: Page; requests: string[]; said: string[] }> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } })
    const [requests, said]: [string[], string[]] = [[], []]
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', (error) => said.push(String(error)))
    await page.goto(pathToFileURL(file).href)
    return { page, requests, said }
  }

  it('shows what the document says, loads nothing, and breaks none of its own rules', async () => {
    const { page, requests, said } = await open('light', 1100)
    expect(requests).toEqual([pathToFileURL(file).href])
    expect(said).toEqual([])
    expect(await page.title()).toBe('rowseal drain: incomplete')
    const report = JSON.parse(stdout)
    const rows = await page.locator('table[aria-label="Rows of each field"] tbody tr').all()
    const shown = await Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()))
    expect(shown).toEqual(
      report.models[0].reconciliation.map((field: any) =>
        [`Person.${field.field}`, field.read, field.changed, field.superseded]
          .concat([field.fresh, field.quarantined].map(String))
          .map(String),
      ),
    )
    expect(await page.getByText(/^each value was opened again/).count()).toBe(1)
    // The policy of the page stands: nothing runs that somebody puts into it.
    await page.evaluate(`{
      const script = document.createElement('script')
      script.textContent = 'document.title = "ran"'
      document.body.append(script)
    }`)
    expect(await page.title()).toBe('rowseal drain: incomplete')
    expect(said.join()).toMatch(/Content Security Policy/)
    await page.close()
  })

  it('draws the rows that were done and the rate', async () => {
    const { page } = await open('light', 1100)
    const charts = page.locator('.plot svg')
    expect(
      await charts.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label'))),
    ).toEqual([
      expect.stringMatching(/^Rows done: 300 rows in /),
      expect.stringMatching(/^Rows per second: at most [\d,]+ rows per second$/),
    ])
    for (const line of ['path.done', 'path.rateline']) {
      const box = await page.locator(line).boundingBox()
      expect(box!.width).toBeGreaterThan(500)
      expect(box!.height).toBeGreaterThan(20)
    }
    await page.close()
  })

  it.each([
    ['light', 1100],
    ['dark', 1100],
    ['light', 375],
    ['dark', 375],
  ] as const)('can be read in %s at a width of %i', async (scheme, width) => {
    const { page } = await open(scheme, width)
    const { overflow, ground, ink, cut } = await page.evaluate<any>(`(() => {
      const { color, backgroundColor } = getComputedStyle(document.body)
      const cells = [...document.querySelectorAll('th, td, dd, h1, p')]
      return {
        overflow: document.documentElement.scrollWidth - innerWidth,
        ground: backgroundColor,
        ink: color,
        cut: cells.filter((one) => one.getBoundingClientRect().right > innerWidth).length,
      }
    })()`)
    expect([overflow, cut]).toEqual([0, 0])
    const [light, dark] = [luminance(ground), luminance(ink)].sort((a, b) => b - a) as [
      number,
      number,
    ]
    expect((light + 0.05) / (dark + 0.05)).toBeGreaterThan(7)
    expect(luminance(ground) > 0.5).toBe(scheme === 'light')
    await page.close()
  })

  it('can be printed, from a dark screen too', async () => {
    const { page } = await open('dark', 1100)
    const pdf = await page.pdf({ format: 'A4' })
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    expect(luminance(ground)).toBe(1)
    await page.close()
  })

  it('holds no value, no key of a record and no path', () => {
    const text = readFileSync(file, 'utf8')
    expect(text).not.toMatch(/rs1\.|ri1\.|Name \d|User\d|\/(tmp|root|home|usr)\//)
    expect(text).not.toContain(command.folder)
  })

  it('is refused before anything is run where it cannot be written', async () => {
    const { code, stderr } = await command.run('drain', '--report', '/nowhere/at/all.html')
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--report/)])
  })
})

/** WCAG 2, relative luminance of `rgb(…)`. */
function luminance(color: string): number {
  const [r, g, b] = color.match(/[\d.]+/g)!.map((part) => {
    const share = Number(part) / 255
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return Math.round((0.2126 * r + 0.7152 * g + 0.0722 * b) * 1e6) / 1e6
}
