/** The forms in which a secret may stand in a text: as it is, in JSON (also within JSON), in a URL, and in base64, wherever it begins there. */
export function encodingsOf(secret: string): Map<string, string> {
  const json = (value: string) => JSON.stringify(value).slice(1, -1);
  // Of what base64 makes of three bytes at a time, what is left when the neighbours' bytes are cut away.
  const base64 = [0, 1, 2].map(offset => Buffer.from(`${'\0'.repeat(offset)}${secret}`).toString('base64').replace(/=+$/, '').slice(Math.ceil(offset * 4 / 3), -1));
  return new Map([
    ['as it is', secret],
    ['in JSON', json(secret)],
    ['in JSON within JSON', json(json(secret))],
    ['in a URL', encodeURIComponent(secret)],
    ['in a form', new URLSearchParams({ secret }).toString().slice('secret='.length)],
    ...base64.map((form, offset) => [`in base64, from byte ${offset}`, form] as const),
    ['in base64 of a URL', Buffer.from(secret).toString('base64url').slice(0, -1)],
    ['in hex', Buffer.from(secret).toString('hex')],
  ]);
}

/** In which forms a secret stands in a text. */
export function leaksIn(text: string, secret: string): string[] {
  return [...encodingsOf(secret)].filter(([, form]) => text.includes(form)).map(([name]) => name);
}
