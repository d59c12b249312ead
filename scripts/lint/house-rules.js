/**
 * Lint rules of this project: which folder may import which, who may use a library, file headers,
 * the wall clock, and plain English. Loaded by oxlint (see `.oxlintrc.json`).
 */

import { dirname, join, relative, sep } from 'node:path'
import { linearPatterns } from './linear-patterns.js'
import { plainEnglish } from './plain-english.js'

const ROOT = join(import.meta.dirname, '..', '..')

/** Folders of `pipeline/` and the folders that each may import. Files in its root may import all. */
const LAYERS = {
  base: [],
  definition: ['base'],
  stages: ['base', 'definition'],
  decode: ['base', 'definition'],
  warehouse: ['base', 'definition'],
  io: ['base', 'definition', 'decode', 'warehouse'],
  duckdb: ['base', 'definition', 'warehouse'],
  bigquery: ['base', 'definition', 'warehouse'],
  state: ['base', 'definition', 'warehouse'],
  microbatch: ['base', 'definition', 'stages', 'decode', 'warehouse', 'state'],
  bulk: ['base', 'definition', 'stages', 'decode', 'warehouse', 'state', 'microbatch'],
  operations: [
    'base',
    'definition',
    'stages',
    'decode',
    'io',
    'warehouse',
    'state',
    'microbatch',
    'bulk',
  ],
  query: ['base', 'definition', 'stages', 'decode', 'io', 'warehouse', 'state', 'microbatch'],
}

/** Libraries with one wrapper, and the files that may import them. */
const LIBRARY_OWNERS = {
  'apache-arrow': /^(pipeline\/warehouse\/arrow|test\/)/,
  '@duckdb/node-api': /^(pipeline\/duckdb\/|scripts\/bench\/|test\/)/,
  '@duckdb/node-bindings': /^pipeline\/duckdb\//,
  '@google-cloud/bigquery': /^(pipeline\/bigquery\/client|scripts\/test-gcp)/,
  '@google-cloud/bigquery-storage': /^pipeline\/bigquery\//,
  '@google-cloud/functions-framework': /^pipeline\/functions\.ts$/,
  '@google-cloud/pubsub': /^(pipeline\/io\/pubsub|scripts\/emulators\/|test\/cloud\/)/,
  zod: /^(definitions\/|test\/|pipeline\/definition\/events\.ts$)/,
  commander: /^scripts\/cli\//,
  'cli-progress': /^scripts\/cli\//,
  xstate: /^(scripts\/bench\/|test\/)/,
  '@dagrejs/dagre': /^scripts\/report\/client\//,
  'd3-scale': /^scripts\/report\/client\//,
  'd3-shape': /^scripts\/report\/client\//,
  'prom-client': /^(scripts\/worker\/|test\/)/,
  pino: /^pipeline\/base\/log\.ts$/,
  'playwright-core': /^test\//,
}

/** Files that may use the wall clock: the clock module, and the rules that check for it. */
const CLOCK_OWNERS = /^(pipeline\/base\/clock\.ts|scripts\/lint\/)/

const pathOf = (context) => relative(ROOT, context.filename).split(sep).join('/')

/** Returns the folder of `pipeline/` of a path; `''` for a file in its root, null outside. */
function layerOf(path) {
  const parts = path.split('/')
  if (parts[0] !== 'pipeline') return null
  return parts.length > 2 ? parts[1] : ''
}

function importProblem(path, specifier) {
  if (!specifier.startsWith('.')) {
    const owner = LIBRARY_OWNERS[specifier]
    return owner === undefined || owner.test(path)
      ? null
      : `"${specifier}" is wrapped elsewhere: import the wrapper (LIBRARY_OWNERS names it)`
  }
  const target = join(dirname(path), specifier).split(sep).join('/')
  if (path.startsWith('scripts/') && target.startsWith('test/')) {
    return 'scripts must not import from test'
  }
  const from = layerOf(path)
  if (from === null || from === '') return null
  const to = layerOf(target)
  if (to === from || (to !== null && LAYERS[from]?.includes(to))) return null
  return `pipeline/${from} must not import ${to ? `pipeline/${to}` : target}`
}

const imports = {
  create(context) {
    const path = pathOf(context)
    const check = (node) => {
      // Types of a library may be imported anywhere.
      if (node.importKind === 'type' && !node.source.value.startsWith('.')) return
      const message = importProblem(path, node.source.value)
      if (message !== null) context.report({ node, message })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: (node) => node.source && check(node),
    }
  },
}

const header = {
  create(context) {
    return {
      Program(node) {
        if (context.sourceCode.text.startsWith('/**')) return
        context.report({ node, message: 'start the file with a comment that names what it is' })
      },
    }
  },
}

const wallClock = {
  create(context) {
    if (CLOCK_OWNERS.test(pathOf(context))) return {}
    const message = 'read the clock through pipeline/base/clock.ts, randomness through a seed'
    return {
      MemberExpression(node) {
        const name = `${node.object.name}.${node.property.name}`
        if (name === 'Date.now' || name === 'Math.random') context.report({ node, message })
      },
      NewExpression(node) {
        if (node.callee.name === 'Date') context.report({ node, message })
      },
    }
  },
}

export default {
  meta: { name: 'house' },
  rules: {
    imports,
    header,
    'wall-clock': wallClock,
    'plain-english': plainEnglish,
    'linear-patterns': linearPatterns,
  },
}
