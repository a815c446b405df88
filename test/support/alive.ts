/** Whether a process is there, or any of a group where the id is negative. */
export function alive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}
