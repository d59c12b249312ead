/** `npm run compact`: see `commands/compact.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/compact.ts'

await main(program)
