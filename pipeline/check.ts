export const checkJourney = (_file: string, _d: unknown): string[] => []
export const checkIdentity = checkJourney
export const checkSessions = checkJourney
