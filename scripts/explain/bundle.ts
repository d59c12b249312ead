/** Makes the HTML page of an explanation, in the style of the report. */

import { htmlOf } from '../cli/page.ts'
import type { StoryDocument } from './document.ts'

const STYLES = [
  '../report/client/styles/style.css',
  './client/story.css',
  '../report/client/styles/touch.css',
  '../report/client/styles/print.css',
]

export function storyPage(document: StoryDocument): Promise<string> {
  return htmlOf({
    title: document.profileId,
    document,
    script: new URL('./client/page.ts', import.meta.url),
    styles: STYLES.map((path) => new URL(path, import.meta.url)),
  })
}
