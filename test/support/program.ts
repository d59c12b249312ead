/** Arguments of Node for a command in a process of its own, started as `npm run` starts it. */

export function programOf(script: string, ...args: readonly string[]): string[] {
  return ['scripts/run.js', `scripts/${script}.ts`, ...args]
}
