/** `npm run package`: see `commands/package.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/package.ts'

await main(program)
