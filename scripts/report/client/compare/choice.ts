/** Sides of the comparison, and their text in the address. */

const KINDS = ['source', 'group', 'version', 'cohort'] as const
export type Choice = { kind: (typeof KINDS)[number]; name: string }

/** Null is everything that the page has chosen, and no second side. */
export type Sides = { first: Choice | null; second: Choice | null }

/** Returns the text of a choice in the address; `choiceOf` is the inverse. */
export const choiceText = ({ kind, name }: Choice): string => `${kind} ${name}`

/** Returns the choice that a text describes; null if it describes none. */
export function choiceOf(text: string | null): Choice | null {
  const [kind = '', ...words] = (text ?? '').split(' ')
  const known = KINDS.find((one) => one === kind)
  return known === undefined ? null : { kind: known, name: words.join(' ') }
}
