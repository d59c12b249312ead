/** `npm run migrate`: see `commands/migrate.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/migrate.ts'

await main(program)
