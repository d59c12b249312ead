/**
 * Lint rule: comments and texts use plain English and the standard terms of the field. Each banned
 * phrase has a replacement. The list is not complete: it has the phrases that were written before.
 */

/** Phrases that are banned in comments and texts, with what to write instead. */
const PHRASES = [
  [
    /(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|later\b|earlier\b|further\b)/i,
    'is not a …',
  ],
  [/\bthere is none\b/i, '… does not exist'],
  [/\bnobody's\b/i, 'unowned, or pseudonymous'],
  [/\bin words\b/i, 'as text'],
  [/\bbe it\b/i, 'including'],
  [/\bheld (?:against|to)\b/i, 'compared with'],
  [/\btells? (?:of|whether|which|what|why|how|who)\b/i, 'returns, reports or logs'],
  [/\bsays? (?:whether|which|what|why|how|who|so|of)\b/i, 'returns, reports or states'],
  [/\bknows? (?:of|nothing|none)\b/i, 'depends on, or has'],
  [/\bis told\b/i, 'is reported, or is called with'],
  [/\b(?:what|who) asks\b/i, 'the query, or the caller'],
  [/\bmakes none\b/i, 'does not create'],
  [/\bmanieth\b/i, '1-based position'],
  [/\b(?:the|that) very\b/i, 'the same'],
  [/\bthe like\b/i, 'name the things'],
  [/\bbut for\b/i, 'except'],
  [/\bwhoever\b/i, 'name the reader, caller or process'],
  [/\bunder way\b/i, 'in progress, or in flight'],
  [/\banew\b/i, 'again'],
  [/\bas good as\b/i, 'equal to'],
  [/\blets? go of\b/i, 'releases'],
  [/\bpassed over\b/i, 'skipped'],
  [/\btold apart\b/i, 'distinguished'],
  [/\bat hand\b/i, 'current, or available'],
  [/\bsimply\b/i, 'leave it out'],
]

/** A docstring starts with a verb or a noun phrase. */
const START = /^\*\s{0,8}(?:Of|Whose|Who|What) /

/** Returns what is wrong with a comment or a text, or null. */
export function problemOf(text) {
  for (const [pattern, better] of PHRASES) {
    const found = pattern.exec(text)
    if (found !== null) return `"${found[0].trim()}": write "${better}" instead`
  }
  const start = START.exec(text)
  if (start === null) return null
  return `"${start[0].slice(1).trim()} …": start with a verb or a noun phrase`
}

export const plainEnglish = {
  create(context) {
    const check = (node, text) => {
      const message = problemOf(text)
      if (message !== null) context.report({ node, message })
    }
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          check(comment, comment.value.replaceAll(/\s{1,40}\*? ?/g, ' '))
        }
      },
      Literal(node) {
        if (typeof node.value === 'string') check(node, node.value)
      },
      TemplateElement(node) {
        check(node, node.value.raw)
      },
    }
  },
}
