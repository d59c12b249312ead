/** Size of the bundled stages, which also run in workers, replays and warehouses. */

import { build } from 'esbuild'
import { expect, test } from 'vitest'

const BYTES_MAX = 128 * 1024

const ENTRY = `
  export { sessionize } from './pipeline/stages/sessionize.ts'
  export { resolvePersons, assignSessions } from './pipeline/stages/resolve-identity.ts'
  export { compile } from './pipeline/definition/compile.ts'
  export { Fold } from './pipeline/stages/fold-journeys.ts'
  export { FunnelFold } from './pipeline/stages/fold-funnels.ts'
`

test('the bundled, minified stages stay under 128 KB and import nothing from outside', async () => {
  const bundle = await build({
    stdin: { contents: ENTRY, resolveDir: '.', loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    // Node modules and packages are not resolved: importing one fails the build.
    platform: 'neutral',
    metafile: true,
  })
  const inputs = Object.keys(bundle.metafile.inputs).filter((path) => path !== '<stdin>')
  expect(inputs.filter((path) => !path.startsWith('pipeline/'))).toEqual([])
  const text = bundle.outputFiles[0]?.text ?? ''
  expect(text).not.toMatch(/\b(Date\.now|new Date|Math\.random|process\.|Buffer\b)/)
  expect(text.length).toBeGreaterThan(1_000)
  expect(text.length).toBeLessThan(BYTES_MAX)
  console.log(`bundled core: ${text.length} bytes minified`)
})
