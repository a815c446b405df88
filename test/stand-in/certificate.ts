import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { pythonEnvironment } from '../python/environment';

/** PEM of a certificate for 127.0.0.1, its key, and the authority that signed it: valid for a day. */
export interface LoopbackCertificate {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export async function loopbackCertificate(): Promise<LoopbackCertificate> {
  const { python } = await pythonEnvironment();
  return JSON.parse(execFileSync(python, [path.join(__dirname, 'certificate.py')], { encoding: 'utf8' }));
}
