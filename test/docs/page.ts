/**
 * Pages of documentation as what they promise: files, commands with their output, and queries with
 * their rows. Every fenced block has a language, which decides what the test does with it:
 *
 * - `console`: lines after `$ ` are commands, the lines below each are its output.
 * - `sql`: a query; the `rows` block after it is its answer.
 * - any with `file=PATH`: a file of the reader's folder; `ts` without it is an excerpt.
 * - `text`, `json`, `mermaid`: illustrations. They contain no command.
 *
 * `not-run=REASON` after the language exempts a block: `cloud`, `bench` or `soak`.
 */

export type Block = {
  language: string
  /** Tags after the language, by name: `file=a.ts` is `{ file: 'a.ts' }`. */
  tags: { [name: string]: string }
  text: string
  /** 1-based line of the opening fence. */
  line: number
}

/** `line` is the 1-based line before what is shown of a command or query. */
export type Step =
  | { kind: 'file'; path: string; text: string }
  | { kind: 'command'; command: string; shown: string; line: number }
  | { kind: 'query'; sql: string; warehouse: string; shown: string; line: number }

const LANGUAGES = ['console', 'sql', 'rows', 'ts', 'text', 'json', 'mermaid']
const REASONS = ['cloud', 'bench', 'soak']
const WAREHOUSE_DEFAULT = 'journeys.duckdb'
const COMMAND = /^\s*(?:\$ )?(?:npm |npx |node |bq |gcloud )/m

/** Returns the fenced blocks of a page. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let open: Block | null = null
  page.split('\n').forEach((text, i) => {
    const fence = /^ *```(.*)$/.exec(text)
    if (fence === null) {
      if (open !== null) open.text += `${text}\n`
    } else if (open === null) {
      const [language = '', ...tags] = (fence[1] ?? '').trim().split(/\s+/)
      const pairs = tags.map((tag) => tag.split('=') as [string, string])
      open = { language, tags: Object.fromEntries(pairs), text: '', line: i + 1 }
    } else {
      blocks.push(open)
      open = null
    }
  })
  return blocks
}

/** Returns what a page promises, in its order. Throws on a block that the test would not see. */
export function stepsOf(page: string): Step[] {
  const blocks = blocksOf(page)
  return blocks.flatMap((block, i): Step[] => {
    const { language, tags, text, line } = block
    const at = `line ${line}`
    if (!LANGUAGES.includes(language)) {
      throw new Error(`${at}: write one of ${LANGUAGES.join(', ')} after the fence`)
    }
    const reason = tags['not-run']
    if (reason !== undefined) {
      if (REASONS.includes(reason)) return []
      throw new Error(`${at}: not-run is one of ${REASONS.join(', ')}`)
    }
    if (language === 'console') return commandsOf(block)
    if (tags['file'] !== undefined) {
      return [{ kind: 'file', path: tags['file'], text }]
    }
    if (language === 'sql') {
      const rows = blocks[i + 1]
      if (rows?.language !== 'rows') throw new Error(`${at}: a rows block must follow the query`)
      const warehouse = tags['in'] ?? WAREHOUSE_DEFAULT
      return [{ kind: 'query', sql: text, warehouse, shown: rows.text, line: rows.line }]
    }
    if (language === 'text' && COMMAND.test(text)) {
      throw new Error(`${at}: a command stands in a text block: write console`)
    }
    return []
  })
}

function commandsOf({ text, line }: Block): Step[] {
  const steps: Extract<Step, { kind: 'command' }>[] = []
  let isContinued = false
  const rows = text.replace(/\n$/, '').split('\n')
  rows.forEach((row, i) => {
    const last = steps.at(-1)
    if (row.startsWith('$ ')) {
      steps.push({ kind: 'command', command: row.slice(2), shown: '', line: line + 1 + i })
    } else if (last === undefined) {
      if (row.trim() !== '') throw new Error(`line ${line + 1 + i}: output without a command`)
    } else if (isContinued) {
      last.command += `\n${row}`
      last.line += 1
    } else last.shown += `${row}\n`
    isContinued = row.endsWith('\\')
  })
  return steps
}

/** Progress lines, which a command prints only if it runs for long. */
const PROGRESS = /^[\d,]+ events \d+ %, \d+ events\/s$/gm

/** Lines without what differs from run to run: durations, rates, sizes, random names, progress. */
export function maskedLines(text: string): string[] {
  return text
    .replaceAll(PROGRESS, '')
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .trimEnd()
        .replace(/[\d,.]+(?= (?:m?s|KB|MB)\b)/g, '#')
        .replace(/\d[\d,.]*\/s\b/g, '#/s')
        .replace(/\b[0-9a-f]{32}\b/g, '#'),
    )
}

/**
 * Whether printed output is what a page shows. A line `…` stands for any lines, and `…` at the end
 * of a line for its rest.
 */
export function isShown(shown: readonly string[], printed: readonly string[]): boolean {
  const [first, ...others] = shown
  if (first === undefined) return printed.length === 0
  if (first.trim() === '…') {
    return printed.some((_, i) => isShown(others, printed.slice(i))) || isShown(others, [])
  }
  const line = printed[0]
  if (line === undefined) return false
  const isSame = first.endsWith('…') ? line.startsWith(first.slice(0, -1)) : line === first
  return isSame && isShown(others, printed.slice(1))
}
