import { execFile } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { pythonEnvironment } from '../../python/environment';
import type { Engine, Finding, NamedTemplate } from '../types';

/** One region per partition, and a second commercial one. */
const REGIONS = ['us-east-1', 'eu-central-1', 'us-gov-west-1', 'cn-north-1'];

/** cfn-lint ends with a bit mask of what it found; anything else means that it did not run. */
const EXIT_CODES = [0, 2, 4, 6, 8, 10, 12, 14];

/** cfn-lint, from the locked Python environment, called once for all templates. */
export const cfnLint: Engine = async (templates) => {
  const { bin } = await pythonEnvironment();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cfn-lint-'));
  try {
    const files = new Map<string, NamedTemplate>();
    templates.forEach((named, index) => {
      const file = path.join(folder, `${index}.template.json`);
      fs.writeFileSync(file, JSON.stringify(named.template));
      files.set(file, named);
    });
    const output = await run(path.join(bin, 'cfn-lint'), ['--format', 'json', '--regions', ...REGIONS, '--', ...files.keys()]);
    return output.map((match: any): Finding => ({
      engine: 'cfn-lint',
      rule: match.Rule.Id,
      template: files.get(match.Filename)!.name,
      logicalId: match.Location.Path?.[0] === 'Resources' ? match.Location.Path[1] : '',
      message: `${match.Message} (${(match.Location.Path ?? []).join('.')})`,
      severity: match.Level === 'Error' ? 'error' : 'warning',
    }));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
};

function run(command: string, args: string[]): Promise<any[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error ? child.exitCode : 0;
      if (code === null || !EXIT_CODES.includes(code)) {
        reject(new Error(`cfn-lint did not run (exit code ${code}): ${stderr || error?.message || stdout}`));
      } else {
        resolve(JSON.parse(stdout || '[]'));
      }
    });
  });
}
