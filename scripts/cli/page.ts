/**
 * Writes a document and a client as one self-contained HTML file. The client is bundled when a page
 * is made, so no built file can become outdated.
 *
 * Two measures prevent names from the warehouse from being parsed as markup: the document is JSON
 * in which every `<` is escaped, and a content security policy allows only the page's own script
 * and no requests.
 */

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'

export type Page = {
  title: string
  /** JSON data that the script reads from the element `document`. */
  document: object
  /** Entry point of the script, and the style sheets in order. */
  script: URL
  styles: URL[]
}

/** Returns the HTML of a page. */
export async function htmlOf({ title, document, ...client }: Page): Promise<string> {
  const [script, style] = await Promise.all([bundled(client.script), joined(client.styles)])
  const hash = createHash('sha256').update(script).digest('base64')
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'`
  const data = JSON.stringify(document).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(title)} · Desire Path</title>
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript. It makes no network requests.</noscript>
<script type="application/json" id="document">${data}</script>
<script>${script}</script>
</body>
</html>
`
}

/** Writes a page to the file that `option` named, and prints its path. */
export async function writePage(option: string, file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page)
  } catch (thrown) {
    throw new UserError(`${option} ${file} cannot be written: ${messageOf(thrown)}`)
  }
  const size = Math.ceil(Buffer.byteLength(page) / 1_024)
  process.stdout.write(`${file}: ${size} KB, open it in a browser\n`)
}

async function bundled(script: URL): Promise<string> {
  const bundle = await build({
    entryPoints: [fileURLToPath(script)],
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

async function joined(styles: URL[]): Promise<string> {
  const texts = await Promise.all(styles.map((style) => readFile(style, 'utf8')))
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
