/**
 * `node scripts/run.js scripts/COMMAND.ts …`: runs a command from a bundle of its sources,
 * libraries and definitions. Loading them one by one through a TypeScript loader takes a second of
 * CPU more, in every process.
 *
 * A bundle is built on first use and after any of its files changed. Where it cannot be built or
 * written, the command runs from its sources.
 */

import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CACHE = join(ROOT, 'node_modules/.cache/desire-path')
/** Changes with every installation. */
const INSTALLED = join(ROOT, 'node_modules/.package-lock.json')
/** Libraries with native code or files of their own. */
const LIBRARIES = ['@duckdb/node-bindings', '@google-cloud/*', 'google-gax', 'pino', 'esbuild']
/** TypeScript loaders for definitions that are not in the bundle. */
const LOADERS = ['tsx/cjs/api', 'tsx/esm/api'].map((name) => import.meta.resolve(name))

/** Bundles kept, apart from those of the last hour: other processes may still load parts of them. */
const BUNDLES_MAX = 24
const IN_USE_MS = 3_600_000

/** Returns the folder of definitions that the command line names, or the default one. */
function definitionsFolder() {
  const at = process.argv.indexOf('--definitions')
  return resolve((at < 0 ? undefined : process.argv[at + 1]) ?? 'definitions')
}

function definitionFiles(dir) {
  try {
    return readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && /(?<!\.d)\.(ts|js|mjs)$/.test(file.name))
      .map((file) => join(file.parentPath, file.name))
      .sort()
  } catch {
    return []
  }
}

/** Returns the URL of the bundled program; builds the bundle if it is missing or out of date. */
async function bundled(program) {
  const folder = definitionsFolder()
  const definitions = definitionFiles(folder)
  const key = createHash('sha256').update(`${ROOT}\n${program}\n${folder}`).digest('hex')
  const manifest = join(CACHE, `${key.slice(0, 16)}.json`)
  const current = read(manifest)
  if (current !== null && isFresh(current, definitions)) {
    noteUse(current.dir)
    return current.url
  }
  mkdirSync(CACHE, { recursive: true })
  const dir = mkdtempSync(join(CACHE, 'bundle-'))
  const url = pathToFileURL(join(dir, `${basename(program, '.ts')}.js`)).href
  try {
    const files = await build(program, definitions, dir)
    const text = JSON.stringify({ url, dir, definitions, state: stateOf(files) })
    noteUse(dir)
    writeFileSync(join(dir, 'manifest.json'), text)
    renameSync(join(dir, 'manifest.json'), manifest)
  } catch (thrown) {
    rmSync(dir, { recursive: true, force: true })
    throw thrown
  }
  removeUnused()
  return url
}

/** Notes that a bundle is used now, unless the folder cannot be written. */
function noteUse(dir) {
  try {
    writeFileSync(join(dir, 'used'), '')
  } catch {
    // Such a bundle is run, and not removed either.
  }
}

/** Returns when a bundle was used last, in milliseconds; 0 if it was removed. One that is being built
 * is used. */
function lastUse(dir) {
  const stat = (path) => statSync(path, { throwIfNoEntry: false })
  return (stat(join(dir, 'used')) ?? stat(dir))?.mtimeMs ?? 0
}

/** Removes the bundles that were used longest ago, and manifests without a bundle. */
function removeUnused() {
  const paths = readdirSync(CACHE).map((name) => join(CACHE, name))
  const bundles = paths
    .filter((path) => basename(path).startsWith('bundle-'))
    .map((dir) => ({ dir, usedAt: lastUse(dir) }))
    .sort((a, b) => b.usedAt - a.usedAt)
  for (const { dir, usedAt } of bundles.slice(BUNDLES_MAX)) {
    if (usedAt < bundles[0].usedAt - IN_USE_MS) rmSync(dir, { recursive: true, force: true })
  }
  for (const manifest of paths.filter((path) => path.endsWith('.json'))) {
    if (!existsSync(read(manifest)?.dir ?? '')) rmSync(manifest, { force: true })
  }
}

function read(manifest) {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8'))
  } catch {
    return null
  }
}

/** Whether a bundle has these definitions and none of its files has changed. */
function isFresh({ url, definitions, state }, present) {
  try {
    const now = stateOf(state.map(([path]) => path))
    return isSame(definitions, present) && isSame(state, now) && existsSync(fileURLToPath(url))
  } catch {
    return false
  }
}

const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b)

/** Returns what identifies the content of files. */
function stateOf(files) {
  return files.map((path) => {
    const { mtimeMs, size } = statSync(path)
    return [path, mtimeMs, size]
  })
}

/** Builds a bundle in a folder. Returns the files that it depends on. */
async function build(program, definitions, dir) {
  const esbuild = await import('esbuild')
  // Worker threads load their code by path.
  const workers = readdirSync(join(ROOT, 'pipeline'), { recursive: true })
    .filter((path) => path.endsWith('-worker.ts'))
    .map((path) => join('pipeline', path))
  const entries = [program, ...workers].map((path) => ({ in: path, out: basename(path, '.ts') }))
  const copies = definitions.map((path, i) => ({ in: path, out: `definition-${i}` }))
  const modules = copies.map(({ in: path, out }) => [path, pathToFileURL(join(dir, `${out}.js`))])
  const { metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [...entries, ...copies],
    outdir: dir,
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: LIBRARIES,
    banner: {
      js: `import { createRequire as requireOf } from 'node:module'
const require = requireOf(import.meta.url)`,
    },
    define: {
      BUNDLE: JSON.stringify({ modules: Object.fromEntries(modules), loaders: LOADERS }),
    },
    plugins: [{ name: 'paths of sources', setup: keepPaths }],
    logLevel: 'silent',
    metafile: true,
  })
  const sources = Object.keys(metafile.inputs).filter((path) => !/node_modules\/|^</.test(path))
  return [...sources.map((path) => resolve(ROOT, path)), INSTALLED]
}

/** Sources find other files beside themselves, except for worker threads, which are bundled. */
function keepPaths(bundler) {
  bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    const text = readFileSync(path, 'utf8')
    if (!text.includes('import.meta.url') || /\b(moduleBeside|startThread)\b/.test(text))
      return null
    const contents = text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
    return { contents, loader: 'ts', resolveDir: dirname(path) }
  })
}

const [node, , program = '', ...args] = process.argv
process.argv = [node, resolve(ROOT, program), ...args]
let url
try {
  url = await bundled(program)
} catch {
  url = pathToFileURL(resolve(ROOT, program)).href
  for (const loader of LOADERS) (await import(loader)).register()
}
await import(url)
