/** `npm run check`: see `commands/check.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/check.ts'

await main(program)
