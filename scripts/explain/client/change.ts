/**
 * Compares an event or a timeout in one revision with earlier and later ones: since when it is
 * recorded like this, what was recorded before, until when, and what replaced it.
 */

import type { Happening, StoryDocument } from '../document.ts'
import { outcomeWords } from '../words.ts'

/** Revisions by their place in the document. */
export type Change = {
  /** The first revision that has it. */
  firstSeen: number
  /** The same since this revision, different before; null: never different. */
  since: { revision: number; was: Happening } | null
  /** Different from this revision on; `instead` is null where it is missing. */
  until: { revision: number; instead: Happening | null } | null
}

export class Changes {
  readonly #story: StoryDocument
  /** Happenings of every event and timeout, by revision. */
  readonly #happenings: Map<string, Happening>[]

  constructor(story: StoryDocument) {
    this.#story = story
    this.#happenings = story.revisions.map(
      ({ happenings }) =>
        new Map(
          happenings.map((n) => {
            const happening = story.happenings[n] as Happening
            return [nameOf(happening), happening]
          }),
        ),
    )
  }

  of(revision: number, happening: Happening): Change {
    const at = (place: number) => this.#happenings[place]?.get(nameOf(happening)) ?? null
    let [firstSeen, until] = [revision, null as Change['until']]
    while (firstSeen > 0 && at(firstSeen - 1) !== null) firstSeen -= 1
    let same = revision
    while (same > firstSeen && isSame(at(same - 1), happening)) same -= 1
    for (
      let later = revision + 1;
      later < this.#story.revisions.length && until === null;
      later++
    ) {
      const then = at(later)
      if (!isSame(then, happening)) until = { revision: later, instead: then }
    }
    const was = at(same - 1)
    return { firstSeen, since: was === null ? null : { revision: same, was }, until }
  }
}

/** Returns what identifies a happening in every revision: the event id, or the deadline. */
function nameOf({ event, at, outcomes: [first] }: Happening): string {
  if (event !== null) return `event ${event.id}`
  return `deadline ${at} ${first?.journey} ${first?.track} ${first?.kind} ${first?.from}`
}

function isSame(a: Happening | null, b: Happening): boolean {
  return a === b || (a?.profileId === b.profileId && hasSameOutcomes(a, b))
}

/** Whether two revisions have the same outcomes. */
export function hasSameOutcomes(a: Happening | null, b: Happening | null): boolean {
  const words = ({ outcomes }: Happening) => outcomes.map(outcomeWords).join('\n')
  return a !== null && b !== null && words(a) === words(b)
}
