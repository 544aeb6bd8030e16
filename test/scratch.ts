import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";

const MEMORY = "/dev/shm";
/** What the databases of a run may take at once, with room to spare, in bytes. */
const ROOM = 2 * 1024 ** 3;

/**
 * Where throw-away databases go: into memory, if there is room for them. Making one is making several hundred files, which on a disk takes
 * longer than all that a test does with it.
 */
export function scratchFolder(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}
