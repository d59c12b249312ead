/** `npm run peers`: see `commands/peers.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/peers.ts'

await main(program)
