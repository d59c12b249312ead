/** `npm run identity`: see `commands/identity.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/identity.ts'

await main(program)
