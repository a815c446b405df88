import { Database } from './database';
import { Firewall } from './firewall';
import { LoadBalancer } from './load-balancer';
import { Redis } from './redis';
import { ServerDatabase } from './server-database';
import { ServerServices } from './server-services';

/** What a server is made of, for what looks at it. */
export interface ServerParts {
  readonly path: string;
  /** Whether the cluster is known to publish Container Insights. */
  readonly containerInsights: boolean;
  readonly services: ServerServices;
  readonly database: Database;
  readonly databaseOptions: ServerDatabase;
  readonly redis?: Redis;
  readonly loadBalancer?: LoadBalancer;
  readonly firewall?: Firewall;
}
