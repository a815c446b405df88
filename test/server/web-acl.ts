/**
 * Judges requests by a web ACL as it is in a template. The rules of AWS's managed groups are not public: here is what AWS documents of each, with patterns of
 * our own, which find the documented examples. `AWSManagedRulesAmazonIpReputationList` goes by lists of addresses that nobody has here, and finds nothing.
 *
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-use-case.html
 */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: string;
}

/** The rule that would block a request, `Group/Rule`; undefined where none would. */
export function blockedBy(rules: readonly any[], request: HttpRequest): string | undefined {
  for (const rule of [...rules].sort((one, other) => one.Priority - other.Priority)) {
    const group = rule.Statement.ManagedRuleGroupStatement;
    if (!group) {
      // A rate is one of many requests, and never of one.
      if (!rule.Statement.RateBasedStatement) throw new Error(`Nothing here knows the statement of the rule ${rule.Name}.`);
      continue;
    }
    const tests = MANAGED[group.Name];
    if (!tests) throw new Error(`Nothing here knows the group ${group.Name}.`);
    const counted = (group.RuleActionOverrides ?? []).map(({ Name }: { Name: string }) => Name);
    const unknown = counted.filter((name: string) => !(name in tests));
    if (unknown.length > 0) throw new Error(`${group.Name} has no rules ${unknown.join(', ')}.`);
    if (rule.OverrideAction.Count) continue;
    const [found] = Object.entries(tests).find(([name, matches]) => !counted.includes(name) && matches(request)) ?? [];
    if (found) return `${group.Name}/${found}`;
  }
  return undefined;
}

type Test = (request: HttpRequest) => boolean;

/** What AWS WAF sees of a body before an Application Load Balancer: its first 8 KB. */
const INSPECTED = 8192;

const parts = {
  HEADER: ({ headers }: HttpRequest) => Object.entries(headers).filter(([name]) => !['cookie', 'authorization'].includes(name)).map(([, value]) => value ?? '').join('\n'),
  COOKIE: ({ headers }: HttpRequest) => headers.cookie ?? '',
  URIPATH: ({ url }: HttpRequest) => decoded(url.split('?')[0]),
  QUERYSTRING: ({ url }: HttpRequest) => decoded(url.split('?').slice(1).join('?')),
  QUERYARGUMENTS: ({ url }: HttpRequest) => decoded(url.split('?').slice(1).join('?')),
  BODY: ({ body }: HttpRequest) => decoded(body.slice(0, INSPECTED)),
};

/** A rule for each part of a request, all with one pattern. */
function inEach(name: string, pattern: RegExp, ...names: (keyof typeof parts)[]): Record<string, Test> {
  return Object.fromEntries(names.map(part => [`${name}_${part}`, request => pattern.test(parts[part](request))]));
}

const SCRIPT = /<\s*(script|iframe|object|embed|svg|img[^>]+on\w+)|javascript:|\bon(error|load|click|mouseover)\s*=/i;
const METADATA = /169\.254\.169\.254|\bmetadata\.google\.internal/i;
const TRAVERSAL = /\.\.[/\\]|[/\\]etc[/\\](passwd|shadow)|\bfile:\/\//i;
const REMOTE_FILE = /(https?|ftps?):\/\/\d{1,3}(\.\d{1,3}){3}/i;
const EXTENSIONS = /\.(ini|log|conf|cfg|bak|backup|sql|dll|sys|asa|config|key|lnk|old|swp)$/i;
const JNDI = /\$\{(jndi|lower|upper|env|::-j)/i;
const DESERIALIZATION = /java\.lang\.(Runtime|ProcessBuilder)|\(java\.lang\.|class\.module\.classLoader/i;
const SQL = /\b(union\s+(all\s+)?select|select\s+.+\s+from\s|insert\s+into\s|drop\s+table|or\s+1\s*=\s*1|sleep\s*\(\d+\))|'\s*(or|and)\s+'|;\s*--/i;

const MANAGED: Record<string, Record<string, Test>> = {
  AWSManagedRulesAmazonIpReputationList: {},
  AWSManagedRulesCommonRuleSet: {
    NoUserAgent_HEADER: ({ headers }) => !headers['user-agent'],
    UserAgent_BadBots_HEADER: ({ headers }) => /nessus|nikto|sqlmap|masscan|nmap|w3af/i.test(headers['user-agent'] ?? ''),
    SizeRestrictions_QUERYSTRING: ({ url }) => (url.split('?')[1] ?? '').length > 2048,
    SizeRestrictions_Cookie_HEADER: ({ headers }) => (headers.cookie ?? '').length > 10240,
    SizeRestrictions_BODY: ({ body }) => Buffer.byteLength(body) > INSPECTED,
    SizeRestrictions_URIPATH: ({ url }) => url.split('?')[0].length > 1024,
    ...inEach('EC2MetaDataSSRF', METADATA, 'BODY', 'COOKIE', 'URIPATH', 'QUERYARGUMENTS'),
    ...inEach('GenericLFI', TRAVERSAL, 'QUERYARGUMENTS', 'URIPATH', 'BODY'),
    ...inEach('RestrictedExtensions', EXTENSIONS, 'URIPATH', 'QUERYARGUMENTS'),
    ...inEach('GenericRFI', REMOTE_FILE, 'QUERYARGUMENTS', 'BODY', 'URIPATH'),
    ...inEach('CrossSiteScripting', SCRIPT, 'COOKIE', 'QUERYARGUMENTS', 'BODY', 'URIPATH'),
  },
  AWSManagedRulesKnownBadInputsRuleSet: {
    ...inEach('JavaDeserializationRCE', DESERIALIZATION, 'HEADER', 'BODY', 'URIPATH', 'QUERYSTRING'),
    ...inEach('Log4JRCE', JNDI, 'HEADER', 'QUERYSTRING', 'BODY', 'URIPATH'),
    Host_localhost_HEADER: ({ headers }) => /^localhost/i.test(headers.host ?? ''),
    PROPFIND_METHOD: ({ method }) => method === 'PROPFIND',
    ExploitablePaths_URIPATH: ({ url }) => /web-inf|\.git\/|\/\.env$|wp-config/i.test(url),
    ReactJSRCE_BODY: ({ body }) => /__proto__|constructor:constructor/i.test(body.slice(0, INSPECTED)),
  },
  AWSManagedRulesSQLiRuleSet: {
    ...inEach('SQLi', SQL, 'QUERYARGUMENTS', 'BODY', 'COOKIE', 'URIPATH'),
    ...inEach('SQLiExtendedPatterns', SQL, 'QUERYARGUMENTS', 'BODY'),
  },
};

/** The rules of each group, by name. */
export const RULES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(MANAGED).map(([group, tests]) => [group, Object.keys(tests)]),
);

/** As the text transformations of the groups: percent-encoding and entities are taken away. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' ')).replace(/&lt;/g, '<').replace(/&gt;/g, '>');
  } catch {
    return text;
  }
}
