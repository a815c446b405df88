import { execFile } from 'child_process';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { pythonEnvironment } from '../../python/environment';
import type { Engine, Finding, NamedTemplate } from '../types';

/** checkov's rules for CloudFormation, from a locked Python environment of its own, called once for all templates. */
export const checkov: Engine = async (templates) => {
  const { bin } = await pythonEnvironment(undefined, 'checkov');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'checkov-'));
  try {
    const files = new Map<string, NamedTemplate>();
    templates.forEach((named, index) => {
      fs.writeFileSync(path.join(folder, `${index}.json`), JSON.stringify(named.template));
      files.set(`/${index}.json`, named);
    });
    // What is skipped is the download of guidelines from the maker's server.
    const report = await run(path.join(bin, 'checkov'), ['--directory', folder, '--framework', 'cloudformation', '--skip-download', '--compact', '--output', 'json']);
    if (report.summary.parsing_errors > 0 || report.summary.passed === 0) {
      throw new Error(`checkov did not read every template: ${JSON.stringify(report.summary)}`);
    }
    return report.results.failed_checks.map((check: any): Finding => ({
      engine: 'checkov',
      rule: check.check_id,
      template: files.get(check.file_path)!.name,
      logicalId: check.resource.split('.').slice(1).join('.'),
      message: check.check_name,
      severity: 'error',
    }));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
};

function run(command: string, args: string[]): Promise<any> {
  return new Promise((resolve, reject) => {
    // checkov ends with 1 when it finds something.
    const child = execFile(command, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error ? child.exitCode : 0;
      if (code !== 0 && code !== 1) {
        reject(new Error(`checkov did not run (exit code ${code}): ${stderr || error?.message}`));
        return;
      }
      try {
        resolve(JSON.parse(stdout));
      } catch {
        reject(new Error(`checkov gave no report (exit code ${code}): ${stderr || stdout}`));
      }
    });
  });
}
