/** `npm run verify`: see `commands/verify.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/verify.ts'

await main(program)
