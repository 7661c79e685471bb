/** Of the profiles of people none of whose roles has a limit. */
export const DEFAULT_SIZE_MIB = 10_240;
