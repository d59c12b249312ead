/**
 * Lint rule: regular expressions take linear time in their input.
 *
 * Two analyses judge a pattern. `scslre` finds a quantifier that can match one text in two ways, or
 * one that every start position runs through again. It does not see a run that contains the start
 * of the pattern (`"(\\.|[^"])*"` on `\"\"\"…`), so that is checked here. A pattern that is put
 * together at run time cannot be judged and is rejected.
 */

import { RegExpParser, visitRegExpAST } from '@eslint-community/regexpp'
import { getConsumedChars, getFirstConsumedChar, toCache } from 'regexp-ast-analysis'
import { analyse } from 'scslre'

const ADVICE = 'anchor it, bound the quantifier, or scan the text once'

const FLAGS = [
  ['i', 'ignoreCase'],
  ['m', 'multiline'],
  ['s', 'dotAll'],
  ['u', 'unicode'],
  ['v', 'unicodeSets'],
]

/** Returns what is wrong with a pattern, or null. */
export function problemOf(source, flags) {
  const [report] = analyse({ source, flags }, { maxReports: 1 }).reports
  if (report !== undefined) {
    const time = report.exponential ? 'exponential' : 'quadratic'
    return `/${source}/ can take ${time} time: ${ADVICE}`
  }
  return runsOverItsStart(source, flags)
    ? `/${source}/ can take quadratic time, as a run in it can contain its own start: ${ADVICE}`
    : null
}

/** Whether an unbounded run that something must follow can contain the start of its pattern. */
function runsOverItsStart(source, flags) {
  const pattern = new RegExpParser().parsePattern(source, 0, source.length, {
    unicode: flags.includes('u'),
    unicodeSets: flags.includes('v'),
  })
  const named = FLAGS.map(([flag, name]) => [name, flags.includes(flag)])
  const cache = toCache(Object.fromEntries(named))
  return pattern.alternatives.some((alternative) => {
    if (alternative.elements.some(isStartAssertion) && !flags.includes('m')) return false
    const { char } = getFirstConsumedChar(alternative, 'ltr', cache)
    let isFound = false
    visitRegExpAST(alternative, {
      onQuantifierEnter(node) {
        if (node.max !== Infinity || isLast(node, alternative)) return
        isFound ||= !getConsumedChars(node.element, cache).chars.isDisjointWith(char)
      },
    })
    return isFound
  })
}

function isStartAssertion(element) {
  return element.type === 'Assertion' && element.kind === 'start'
}

/** Whether nothing has to match after a node. */
function isLast(node, alternative) {
  if (node === alternative) return true
  const { parent } = node
  const isEnd = parent.type === 'Alternative' && parent.elements.at(-1) === node
  if (isEnd || parent.type === 'CapturingGroup' || parent.type === 'Group') {
    return isLast(parent, alternative)
  }
  return false
}

/** Rejects patterns that can take super-linear time. */
export const linearPatterns = {
  create(context) {
    const check = (node, source, flags) => {
      const message = problemOf(source, flags)
      if (message !== null) context.report({ node, message })
    }
    const checkCall = (node) => {
      if (node.callee.name !== 'RegExp') return
      const [source, flags] = node.arguments
      if (source?.type === 'Literal' && (flags === undefined || flags.type === 'Literal')) {
        check(node, String(source.value), String(flags?.value ?? ''))
      } else {
        const message = 'a pattern made at run time cannot be checked: scan the text instead'
        context.report({ node, message })
      }
    }
    return {
      Literal(node) {
        if (node.regex) check(node, node.regex.pattern, node.regex.flags)
      },
      NewExpression: checkCall,
      CallExpression: checkCall,
    }
  },
}
