/** A header of a response: its name in any case, and its line or lines. */
export type ResponseHeader = readonly [name: string, value: unknown];

/** Where the lines of `Set-Cookie` were joined: by a line break, or by a comma that does not belong to a date. */
const COOKIE_BREAK = /\n|,\s*(?=[^\s;,=]+=)/;

/** Returns the lines of a header. */
export function valuesOf(headers: readonly ResponseHeader[], name: string): string[] {
  const key = name.toLowerCase();
  const values = headers
    .filter(([each]) => each.toLowerCase() === key)
    .flatMap(([, value]) => value)
    .filter((value) => value !== undefined && value !== null)
    .map(String);
  return key === 'set-cookie' ? values.flatMap((line) => line.split(COOKIE_BREAK)) : values;
}

/** Returns the headers. Packages have classes `Headers` of their own, which can be iterated as that of `fetch`. */
export function entriesOf(headers: object | null | undefined): ResponseHeader[] {
  if (typeof headers === 'object' && headers !== null && !Array.isArray(headers)) {
    if (Symbol.iterator in headers) return [...(headers as Iterable<ResponseHeader>)];
    if (typeof (headers as Partial<Headers>).get !== 'function') return Object.entries(headers);
  }
  throw new TypeError(
    `expectSession() needs a response of fetch, supertest or inject(), got ${headers === undefined ? 'an object without headers' : 'headers of another form'}. Of another client pass { headers: { 'set-cookie': […], … } }.`,
  );
}
