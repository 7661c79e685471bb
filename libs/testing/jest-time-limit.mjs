/** Gives the tests of a suite the time limit that its project in jest.config.js sets. */
import { jest } from '@jest/globals';

jest.setTimeout(globalThis.testTimeoutMs);
