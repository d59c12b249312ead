/** `npm run dead-letters`: see `commands/dead-letters.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/dead-letters.ts'

await main(program)
