import { aws_certificatemanager as acm, aws_cognito as cognito, aws_elasticloadbalancingv2 as elbv2, aws_elasticloadbalancingv2_actions as actions, aws_route53 as route53, SecretValue } from 'aws-cdk-lib';
import { invalid, isResolved, ValidationError } from '../private/validation';

/** The way in which a server is reached. */
export enum ServerAccess {
  /** Inside the VPC, over a private name of AWS Cloud Map, without a load balancer: plain HTTP, between security groups. */
  PRIVATE_DNS = 'PRIVATE_DNS',

  /** Inside the VPC and what is connected to it, over HTTPS at the name of `domain`, through an internal load balancer. */
  INTERNAL_LOAD_BALANCER = 'INTERNAL_LOAD_BALANCER',

  /**
   * From the internet, over HTTPS at the name of `domain`, through a load balancer with a firewall (AWS WAF) before it. Workers in the
   * VPC have the private name beside it.
   */
  PUBLIC_LOAD_BALANCER = 'PUBLIC_LOAD_BALANCER',
}

/** The name at which a load balancer serves the UI and the API. */
export interface ServerDomain {
  /** Hosted zone in which the name is created. */
  readonly zone: route53.IHostedZone;

  /** The name itself, in that zone, such as `prefect.example.com`. */
  readonly name: string;

  /**
   * Certificate for the name, in AWS Certificate Manager, in the stack's region. A private zone needs one: nobody outside can look into
   * it, as a validation does.
   *
   * @default - one is created, and validated by a record in the zone
   */
  readonly certificate?: acm.ICertificate;
}

/** Options of `ServerSignIn.oidc()`. */
export interface ServerOidcOptions {
  /** The identity provider's issuer, such as `https://login.example.com`. */
  readonly issuer: string;

  /** Its authorization endpoint. */
  readonly authorizationEndpoint: string;

  /** Its token endpoint. */
  readonly tokenEndpoint: string;

  /** Its user info endpoint. */
  readonly userInfoEndpoint: string;

  /** Id of the client that was registered for the server, with the callback `https://<name>/oauth2/idpresponse`. */
  readonly clientId: string;

  /** The client's secret, such as `secret.secretValue` of a secret in AWS Secrets Manager. */
  readonly clientSecret: SecretValue;
}

/** Options of `ServerSignIn.cognito()`. */
export interface ServerCognitoOptions {
  /** The user pool. */
  readonly userPool: cognito.IUserPool;

  /** A client of it with a secret, whose callback is `https://<name>/oauth2/idpresponse`. */
  readonly userPoolClient: cognito.IUserPoolClient;

  /** The pool's domain. */
  readonly userPoolDomain: cognito.IUserPoolDomain;
}

/**
 * How people sign in before they see anything of a public server. Programs go on with the server's authentication string, which
 * the UI asks people for as well.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
export class ServerSignIn {
  /**
   * With an identity provider that speaks OpenID Connect.
   *
   * Throws for addresses that are not `https`.
   *
   * @param options the provider, and the client that was registered there
   */
  public static oidc(options: ServerOidcOptions): ServerSignIn {
    for (const prop of ['issuer', 'authorizationEndpoint', 'tokenEndpoint', 'userInfoEndpoint'] as const) {
      if (isResolved(options[prop]) && !/^https:\/\/[^/]/i.test(options[prop])) throw invalid(prop, options[prop], 'give the whole URL with the scheme https.');
    }
    if (typeof options.clientSecret === 'string') {
      throw new ValidationError('clientSecret is a string (its value is not shown here): put it into AWS Secrets Manager, and give secret.secretValue.');
    }
    return new ServerSignIn(next => [true, false].map(redirect => elbv2.ListenerAction.authenticateOidc({
      ...options, next, onUnauthenticatedRequest: redirect ? elbv2.UnauthenticatedAction.AUTHENTICATE : elbv2.UnauthenticatedAction.DENY,
    })));
  }

  /**
   * With a user pool of Amazon Cognito.
   *
   * @param options the pool, its client and its domain
   */
  public static cognito(options: ServerCognitoOptions): ServerSignIn {
    return new ServerSignIn(next => [true, false].map(redirect => new actions.AuthenticateCognitoAction({
      ...options, next, onUnauthenticatedRequest: redirect ? elbv2.UnauthenticatedAction.AUTHENTICATE : elbv2.UnauthenticatedAction.DENY,
    })));
  }

  private constructor(
    /**
     * What a listener does before `next`: with who has not signed in, one sends them to the provider, the other answers 401.
     *
     * @internal
     */
    public readonly _actions: (next: elbv2.ListenerAction) => elbv2.ListenerAction[],
  ) {}
}
