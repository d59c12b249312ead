/**
 * Compares an event or a timeout in one revision with earlier and later ones: since when it is
 * recorded like this, what was recorded before, until when, and what replaced it.
 */

import type { Happening, StoryDocument } from '../document.ts'
import { outcomeWords } from '../words.ts'

/** Beliefs by their place in the document. */
export type Change = {
  /** The first belief that told of it at all. */
  firstTold: number
  /** Told so since this belief, otherwise before; null: never otherwise. */
  since: { belief: number; was: Happening } | null
  /** Told so no more from this belief on; `instead` is null where it is not told at all. */
  until: { belief: number; instead: Happening | null } | null
}

export class Changes {
  readonly #story: StoryDocument
  /** Happenings of every event and timeout, by revision. */
  readonly #told: Map<string, Happening>[]

  constructor(story: StoryDocument) {
    this.#story = story
    this.#told = story.beliefs.map(
      ({ happenings }) =>
        new Map(
          happenings.map((n) => {
            const happening = story.happenings[n] as Happening
            return [nameOf(happening), happening]
          }),
        ),
    )
  }

  of(belief: number, happening: Happening): Change {
    const at = (place: number) => this.#told[place]?.get(nameOf(happening)) ?? null
    let [firstTold, until] = [belief, null as Change['until']]
    while (firstTold > 0 && at(firstTold - 1) !== null) firstTold -= 1
    let same = belief
    while (same > firstTold && isSame(at(same - 1), happening)) same -= 1
    for (let later = belief + 1; later < this.#story.beliefs.length && until === null; later++) {
      const then = at(later)
      if (!isSame(then, happening)) until = { belief: later, instead: then }
    }
    const was = at(same - 1)
    return { firstTold, since: was === null ? null : { belief: same, was }, until }
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

/** Whether two beliefs say in the same words what it did. */
export function hasSameOutcomes(a: Happening | null, b: Happening | null): boolean {
  const told = ({ outcomes }: Happening) => outcomes.map(outcomeWords).join('\n')
  return a !== null && b !== null && told(a) === told(b)
}
