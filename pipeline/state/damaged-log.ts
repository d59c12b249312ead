/** Thrown if a record or an index page is damaged that was intact when the log was opened. */
export class DamagedLog extends Error {}
