import { turnOfFile } from './pace';

/** A test file of a paced layer waits for its turn before its own time counts. */
let over: () => void;

beforeAll(async () => { over = await turnOfFile(); }, 3_600_000);
afterAll(() => over());
