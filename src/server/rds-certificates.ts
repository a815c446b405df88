import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aws, CfnMapping, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { invalid, isResolved } from '../private/validation';

const DIRECTORY = join(__dirname, '..', '..', 'assets', 'server', 'certificates');
const MAPPING = 'AmazonRdsCertificates';

/**
 * The certificate authorities of Amazon RDS in the stack's region. Where that is known only at deployment, the template has those of all
 * regions: of each the one that databases have unless told otherwise, rds-ca-rsa2048-g1.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export function rdsCertificates(scope: Construct): string {
  const stack = Stack.of(scope);
  if (!isResolved(stack.region)) return mapping(stack).findInMap(Aws.REGION, 'Certificate');
  const file = join(DIRECTORY, `${stack.region}.pem`);
  if (!existsSync(file)) {
    throw invalid('database', stack.region, `the library has no certificates of Amazon RDS in this region; give your own database, with tlsCaCertificate from https://truststore.pki.rds.amazonaws.com/${stack.region}/${stack.region}-bundle.pem.`);
  }
  return readFileSync(file, 'utf8');
}

function mapping(stack: Stack): CfnMapping {
  const made = stack.node.tryFindChild(MAPPING) as CfnMapping | undefined;
  return made ?? new CfnMapping(stack, MAPPING, {
    mapping: Object.fromEntries(readdirSync(DIRECTORY).sort().map(file =>
      [file.replace('.pem', ''), { Certificate: readFileSync(join(DIRECTORY, file), 'utf8').split(/(?<=-----END CERTIFICATE-----\n)/)[0] }])),
  });
}
