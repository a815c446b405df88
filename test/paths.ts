/** Test files by what they need, as patterns of jest. */

/** They run the programs of containers, or play traces in the scaling simulator: too slow for the quick loop. */
const OF_PROGRAMS = ['task/(?:supervisor|memory-watch|python|launcher|health-check|results)', 'server/programs', 'scaling-simulator/'];

/** The constructs and the functions, per module. */
export const UNIT = `test/(?!docs|validators|policy|events|requests|stand-in|live|integ|consumers|${OF_PROGRAMS.join('|')})[^.]*\\.test\\.ts`;

export const PROGRAMS = `test/(?:${OF_PROGRAMS.join('|')})[^.]*\\.test\\.ts`;
