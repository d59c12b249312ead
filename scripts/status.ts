/** `npm run status`: see `commands/status.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/status.ts'

await main(program)
