/** `npm run cohort`: see `commands/cohort.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/cohort.ts'

await main(program)
