/** `npm run forget`: see `commands/forget.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/forget.ts'

await main(program)
