/** Runs the steps of a demonstration, and shows what each one does and how long it takes. */
export class Steps {
  private readonly done: { what: string; seconds: number }[] = [];
  private readonly start = Date.now();

  public async run<T>(what: string, step: (progress: (line: string) => void) => Promise<T>): Promise<T> {
    const start = Date.now();
    let latest = '';
    const seconds = () => (Date.now() - start) / 1000;
    const show = () => {
      const line = `  ${what} ... ${seconds().toFixed(0)} s  ${latest}`;
      if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${line.slice(0, (process.stdout.columns ?? 100) - 1)}`);
      else console.log(line.slice(0, 150));
    };
    console.log(`\n${what}`);
    const timer = setInterval(show, process.stdout.isTTY ? 250 : 5000);
    try {
      const result = await step(line => { latest = line.trim(); });
      this.done.push({ what, seconds: seconds() });
      return result;
    } finally {
      clearInterval(timer);
      if (process.stdout.isTTY) process.stdout.write('\r\x1b[2K');
      console.log(`  ${seconds().toFixed(1)} s`);
    }
  }

  public print(): void {
    console.log('\nSteps');
    for (const { what, seconds } of this.done) console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${what}`);
    console.log(`  ${((Date.now() - this.start) / 1000).toFixed(1).padStart(6)} s  in all`);
  }
}
