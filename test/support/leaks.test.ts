import { leaksIn } from './leaks';

const SECRET = 'admin:a "pass" wörd+/1';

test.each([
  ['as it is', SECRET],
  ['in JSON', JSON.stringify({ key: SECRET })],
  ['in JSON within JSON', JSON.stringify({ body: JSON.stringify({ key: SECRET }) })],
  ['in a URL', `https://example.com/?key=${encodeURIComponent(SECRET)}`],
  ['in a form', new URLSearchParams({ key: SECRET, more: 'x' }).toString()],
  ['in base64, from byte 0', Buffer.from(SECRET).toString('base64')],
  ['in base64, from byte 0', Buffer.from(`abc${SECRET}, and more`).toString('base64')],
  ['in base64, from byte 1', Buffer.from(`a${SECRET}, and more`).toString('base64')],
  ['in base64, from byte 2', Buffer.from(`ab${SECRET}`).toString('base64')],
  ['in base64 of a URL', Buffer.from(SECRET).toString('base64url')],
  ['in hex', Buffer.from(SECRET).toString('hex')],
])('a secret is found %s', (form, text) => {
  expect(leaksIn(`before ${text} after`, SECRET)).toContain(form);
});

test('what is not there is not found', () => {
  expect(leaksIn(JSON.stringify({ key: `${SECRET.slice(0, -1)}2` }), SECRET)).toEqual([]);
});
