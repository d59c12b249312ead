/**
 * Where JSON may name a person: in any text, and in numbers whose key is a namespace or ends in
 * `id`. A price that happens to be somebody's number names nobody.
 */

export class Naming {
  readonly #key: RegExp
  readonly #leaf: RegExp

  /** `namespaces` are the declared ones. */
  constructor(namespaces: readonly string[]) {
    const ends = ['id', ...namespaces.map(patternOf)].join('|')
    const text = '"((?:[^"\\\\]|\\\\.)*)"'
    const number = `(?<=(?:${ends})"\\s*:\\s*)-?\\d+(?:\\.\\d+)?`
    this.#key = new RegExp(`(?:${ends})$`, 'i')
    this.#leaf = new RegExp(`${text}|${number}`, 'gi')
  }

  /** Whether a number under this key may name somebody. */
  isKey(key: string): boolean {
    return this.#key.test(key)
  }

  /** What may name somebody in JSON, be it sound or not. */
  *leavesOf(json: string): Generator<string> {
    for (const [whole, quoted] of json.matchAll(this.#leaf)) {
      yield quoted === undefined ? whole : unescaped(quoted)
    }
  }
}

/** A text as a pattern that matches it alone. */
export function patternOf(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

function unescaped(quoted: string): string {
  try {
    return JSON.parse(`"${quoted}"`) as string
  } catch {
    return quoted
  }
}
