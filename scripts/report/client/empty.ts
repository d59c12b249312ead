/** A report in place of which there is nothing to show: what was read, and the next command. */

import type { ReportDocument } from '../document.ts'
import { html } from './element.ts'

/** Returns the sentence and the command of a warehouse without an accepted event. */
export function emptyNotice({ text, command }: NonNullable<ReportDocument['empty']>): HTMLElement {
  return html(
    'div',
    { class: 'nothing' },
    html('p', {}, text),
    html('pre', { class: 'query', tabindex: 0 }, html('code', {}, command)),
  )
}
