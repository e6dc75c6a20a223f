/** The part of an agent of supertest or superagent that is used. */
interface CookieAgent {
  readonly jar: { getCookies(access: never): unknown };
}

/**
 * Makes an agent of supertest send `Secure` cookies to the application under test, as browsers do to `localhost`. Its own jar drops them,
 * so that every request is anonymous.
 *
 * ```ts
 * const agent = browserAgent(request.agent(app.getHttpServer()));
 * await agent.post('/login').send({ email, password });
 * await agent.get('/me').expect(200);
 * ```
 * @returns the same agent
 */
export function browserAgent<A extends CookieAgent>(agent: A): A {
  const { jar } = agent;
  const getCookies = jar.getCookies.bind(jar) as (access: object) => unknown;
  jar.getCookies = (access: object) => getCookies(Object.assign(access, { secure: true }));
  return agent;
}
