import { isRowsealError } from '../database-error.ts'
import type { Fact } from './facts.ts'
import { markup, type Html } from './html.ts'
import { count, duration } from './numbers.ts'
import type { Recording } from './recorder.ts'
import { figures, heading, modelTable, progress, settings, shell } from './shell.ts'

/**
 * The page of a run that ended with an error: what it had reached, and the error. As `htmlReport` it holds no
 * addresses and no paths; of an error that is none of Rowseal's, only that there was one.
 *
 * @param facts - how it was run: `factsOf`.
 */
export function failedReport(
  direction: string,
  error: unknown,
  recording: Recording,
  facts: readonly Fact[],
): string {
  const { began, ms, models } = recording
  const { rows, superseded, quarantined } = recording.samples.at(-1)!
  return shell(`rowseal ${direction}: failed`, [
    heading(direction, 'failed', false, began),
    errorText(error),
    figures([
      ['Rows written', count(rows)],
      ['Time', duration(ms)],
      ['Superseded', count(superseded)],
      ['In quarantine', count(quarantined)],
    ]),
    progress(recording),
    models.length === 0 ? null : modelTable(models.map(outcomeOf)),
    settings(facts),
  ])
}

function outcomeOf<M>(model: M, at: number, all: readonly M[]): M & { readonly outcome: string } {
  return { ...model, outcome: at === all.length - 1 ? 'in hand' : 'gone over' }
}

function errorText(error: unknown): Html {
  if (!isRowsealError(error))
    return markup`<p class="warn">It ended with an error that is none of Rowseal’s, and is not shown here: whoever ran it has seen it.</p>`
  const { code, message } = error
  return markup`<h2>The error</h2>
    <p class="warn">${code}</p>
    <p>${withoutPlaces(message)}</p>
    <p class="soft">What was committed before it stays.</p>`
}

/** URLs, ARNs, hosts with a port and absolute paths are nobody's business who reads a report. */
function withoutPlaces(text: string): string {
  return text
    .replaceAll(/\b(?:[a-z][a-z0-9+.-]*:\/\/|arn:)[^\s,;)"]*[^\s,;)".]/gi, '…')
    .replaceAll(/(?<![\w.])[\w.-]+:\d{2,5}\b/g, '…')
    .replaceAll(/(?<![\w.<@-])\/[^\s,;)"`]*[^\s,;)".`]/g, '…')
}
