import { ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ResourceUse {
  /** When the process was started, in milliseconds. */
  readonly begun: number;
  readonly seconds: number;
  /** User and system time of the process and of all that it has waited for. */
  readonly cpuSeconds: number;
  /** The most memory of the process and its descendants at a time, shared parts counted once; undefined where there is no /proc. */
  readonly peakMiB?: number;
}

/** Runs a command, and tells on descriptor 3 what it took. */
const MEASURE = `
import json, os, signal, sys, time
begun = time.time()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
_, _, used = os.wait4(pid, 0)
os.write(3, json.dumps({"begun": begun * 1000, "seconds": time.time() - begun, "cpuSeconds": used.ru_utime + used.ru_stime}).encode())
`;
const SAMPLE_MS = 200;
/** Of the kernel, a second. */
const TICKS = 100;

export interface MeasuredProcess {
  /** What it took, once it has ended. */
  readonly used: Promise<ResourceUse>;
  /** Asks it to end. */
  stop(): void;
}

export function measured(python: string, command: readonly string[], environment: Record<string, string>, cwd?: string): MeasuredProcess {
  const child = spawn(python, ['-c', MEASURE, ...command], { env: environment, cwd, detached: true, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  let [told, words, peak] = ['', '', 0];
  child.stdio[3]!.on('data', chunk => { told += chunk; });
  child.stderr!.on('data', chunk => { words = (words + chunk).slice(-2000); });
  const sampler = setInterval(() => { peak = Math.max(peak, memoryOf(child)); }, SAMPLE_MS);
  const used = new Promise<ResourceUse>((resolve, reject) => child.on('error', reject).on('close', () => {
    clearInterval(sampler);
    if (told) resolve({ ...JSON.parse(told), peakMiB: peak > 0 ? peak : undefined });
    else reject(new Error(`${command.join(' ').slice(0, 200)} was not measured: ${words}`));
  }));
  return { used, stop: () => void child.kill('SIGTERM') };
}

/** Seconds of the CPU that the processes of a group, and those of them that have ended, have taken. Linux only. */
export function cpuSecondsOf(group: number): number {
  return listed('/proc').filter(name => /^\d+$/.test(name)).map(pid => {
    const fields = read(`/proc/${pid}/stat`).replace(/^.*\) /s, '').split(' ');
    return Number(fields[2]) === group ? fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) : 0;
  }).reduce((sum, ticks) => sum + ticks, 0) / TICKS;
}

/** The most that a process has held so far, in MiB. Linux only. */
export function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** MiB of a process's descendants; memory that they share is divided among them. */
function memoryOf({ pid: measuring }: ChildProcess): number {
  const children = new Map<number, number[]>();
  for (const name of listed('/proc').filter(entry => /^\d+$/.test(entry))) {
    const [, parent] = /^.*\) \S (\d+)/.exec(read(`/proc/${name}/stat`)) ?? [];
    if (parent !== undefined) children.set(Number(parent), [...children.get(Number(parent)) ?? [], Number(name)]);
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap(child => [child, ...below(child)]);
  return below(measuring!).reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), 0) / 1024;
}

const read = (file: string) => attempt(() => readFileSync(file, 'utf8'), '');
const listed = (directory: string) => attempt(() => readdirSync(directory), []);

/** Processes end while they are looked at, and not every system has /proc. */
function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
