/**
 * `npm run package`: builds the folder that is deployed as functions. It has the pipeline and the
 * definitions as JavaScript, the SQL, and a lock file for the libraries that are not bundled. Paths
 * are those of the checkout, so relative paths stay valid.
 *
 * DuckDB and its native library are left out, because a function has no disk.
 */

import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { DEFINITIONS_DEFAULT } from '../../pipeline/config.ts'
import { loadDefinitions, loadEventDefinitions } from '../../pipeline/definition/load.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { command } from '../cli/command.ts'
import { lockOf, type Lock } from '../deploy/lock.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NAME = 'desire-path-functions'
/** Folder of the bundled code, as deep as the sources, because they read the SQL two folders up. */
const BUNDLE_DIR = 'pipeline/bundle'
/** Bundle entry points: the module that the framework loads, and the decoder's worker thread. */
const PROGRAMS = ['pipeline/functions.ts', 'pipeline/decode/decoder-worker.ts']
/** Libraries that are not bundled, because they read their own files or load modules at run time. */
const LIBRARIES = ['@google-cloud/*', 'google-gax', 'pino']

const ABSENT = `export class DuckDBFile {
  static async open(path) {
    throw new Error('duckdb:' + path + ' needs a disk, which functions do not have: use bigquery:PROJECT.DATASET')
  }
}`

const withoutEmbedded: Plugin = {
  name: 'without the embedded warehouse',
  setup(bundler) {
    const namespace = 'absent'
    bundler.onResolve({ filter: /\/file\.ts$/ }, ({ path, resolveDir }) => {
      const isEmbedded = resolve(resolveDir, path) === resolve(ROOT, 'pipeline/duckdb/file.ts')
      return isEmbedded ? { path, namespace } : null
    })
    bundler.onLoad({ filter: /./, namespace }, () => ({ contents: ABSENT }))
  },
}

/** Returns the files of a definitions folder, with output paths without suffix. */
async function definitionsIn(dir: string): Promise<{ in: string; out: string }[]> {
  const files = await readdir(dir, { recursive: true, withFileTypes: true })
  return files
    .filter((file) => file.isFile() && /(?<!\.d)\.(ts|js|mjs)$/.test(file.name))
    .map((file) => join(file.parentPath, file.name))
    .map((path) => {
      const out = join(DEFINITIONS_DEFAULT, relative(dir, path)).replace(/\.\w+$/, '')
      return { in: path, out }
    })
}

/** Creates or empties a folder. Throws a `UserError` if it contains anything but an earlier package. */
async function makeFolder(out: string): Promise<void> {
  const found = await readdir(out).catch((): string[] => [])
  const manifest = await readFile(join(out, 'package.json'), 'utf8').catch(() => '{}')
  if (found.length > 0 && (JSON.parse(manifest) as { name?: string }).name !== NAME) {
    throw new UserError(`--out ${out} contains other files: use a new folder`, 2)
  }
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
}

/** Builds the folder and returns the libraries that it needs, with their versions. */
async function packageFunctions(definitionsDir: string, out: string) {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [
      ...PROGRAMS.map((path) => ({ in: path, out: join(BUNDLE_DIR, basename(path, '.ts')) })),
      ...(await definitionsIn(definitionsDir)),
    ],
    outdir: out,
    chunkNames: `${BUNDLE_DIR}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: LIBRARIES,
    plugins: [withoutEmbedded],
    legalComments: 'linked',
    metafile: true,
  })
  await cp(join(ROOT, 'sql'), join(out, 'sql'), { recursive: true })
  const wanted = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ path, external }) => external === true && !path.startsWith('node:'))
    .map(({ path }) => path)
  const ours = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as Lock
  const { overrides } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    overrides: object
  }
  const lock = lockOf(ours, NAME, [...new Set(wanted)].sort())
  const { dependencies = {} } = lock.packages[''] ?? {}
  const manifest = {
    name: NAME,
    private: true,
    type: 'module',
    main: `${BUNDLE_DIR}/functions.js`,
    dependencies,
    overrides,
  }
  await writeFile(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  await writeFile(join(out, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`)
  return dependencies
}

type Options = { definitions: string; out: string }

export const program = command('npm run package', 'Builds the functions for deployment.')
  .option('--definitions <dir>', 'folder of definitions to include', DEFINITIONS_DEFAULT)
  .option('--out <dir>', 'folder to write; its contents are removed first', 'dist/functions')
  .action(async ({ definitions, out }: Options) => {
    await loadDefinitions(definitions)
    await loadEventDefinitions(definitions)
    await makeFolder(resolve(out))
    const libraries = await packageFunctions(resolve(definitions), resolve(out))
    const list = Object.entries(libraries).map(([name, version]) => `${basename(name)} ${version}`)
    process.stdout.write(`${out}: ready to deploy, with ${list.join(', ')}\n`)
  })
