/**
 * The document and the client → one HTML file that asks for nothing else.
 *
 * Bundled when a report is made, so that there is no built file to keep in step. Of the 140 KB a
 * third is the layout of the map (dagre; elkjs would be ten times all of it) and a third are d3's
 * scales and shapes; a chart library would bring a canvas, which neither prints nor follows the
 * scheme, or all of d3. Everything that is a row with a bar is a table.
 *
 * Two walls keep names from the warehouse from being read as markup: the document is JSON in which
 * no `<` is left, and a content security policy allows this page's own script and no request.
 */

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import type { ReportDocument } from './document.ts'

const PAGE = new URL('./client/page.ts', import.meta.url)
const STYLES = ['style.css', 'map.css', 'tables.css', 'charts.css', 'print.css']

/** The whole page. */
export async function htmlOf(document: ReportDocument): Promise<string> {
  const [script, style] = await Promise.all([clientScript(), clientStyle()])
  const hash = createHash('sha256').update(script).digest('base64')
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'`
  const names = document.journeys.map(({ id }) => id).join(', ')
  const data = JSON.stringify(document).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(names === '' ? 'Journeys' : names)} · Desire Path</title>
<style>${style}</style>
</head>
<body>
<noscript>This page draws itself with a script of its own; please allow it to run.</noscript>
<script type="application/json" id="document">${data}</script>
<script>${script}</script>
</body>
</html>
`
}

async function clientScript(): Promise<string> {
  const bundle = await build({
    entryPoints: [fileURLToPath(PAGE)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
  })
  return bundle.outputFiles[0]?.text ?? ''
}

async function clientStyle(): Promise<string> {
  const texts = await Promise.all(
    STYLES.map((name) => readFile(new URL(`./client/${name}`, import.meta.url), 'utf8')),
  )
  const { code } = await transform(texts.join('\n'), { loader: 'css', minify: true })
  return code
}

const ENTITIES: { [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
}
