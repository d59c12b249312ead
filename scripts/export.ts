/** `npm run export`: see `commands/export.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/export.ts'

await main(program)
