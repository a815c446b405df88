import { aws_ec2 as ec2 } from 'aws-cdk-lib';
import { ServerDatabaseCredentials } from './server-database-options';

/** An existing database. */
export interface GivenDatabase {
  readonly host: string;
  readonly port: number;
  readonly databaseName: string;
  readonly credentials: ServerDatabaseCredentials;
  readonly connections: ec2.Connections;
  readonly maxConnections?: number;
  readonly tlsCaCertificate?: string;
  /** The construct whose VPC is known. */
  readonly source?: { readonly vpc?: ec2.IVpc; readonly path: string };
}
