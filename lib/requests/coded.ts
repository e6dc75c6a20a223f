/**
 * Adds the code of an exception's body to where GraphQL looks for it. Apollo's driver of Nest has a code of its own there, and shows the
 * body beside it.
 */
export function coded<E extends Error & { getResponse(): string | object }>(exception: E): E {
  const { code } = exception.getResponse() as { readonly code: string };
  return Object.assign(exception, { extensions: { code } });
}
