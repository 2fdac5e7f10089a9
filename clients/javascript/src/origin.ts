/** The origin, the one part of a URL that apps configure. */

const ORIGIN = /^(https?):\/\/([\w.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?\/?$/i;

/**
 * Returns `https://HOST` or `https://HOST:PORT` in one spelling: lower case, without a default port.
 *
 * React Native copies the port of an address into `Origin`, and the server compares this `Origin` with
 * its own. React Native's `URL` is incomplete, so the text is parsed here.
 *
 * Throws an `Error` with a sentence for everything else: a path, a query, a user's name.
 */
export function origin(url: unknown): string {
  const [, scheme, host, port] = (typeof url === 'string' ? ORIGIN.exec(url.trim()) : null) ?? [];
  if (!scheme || !host) {
    throw new Error(
      '`url` has to be the URL of the deployment, like https://example.com, without a path.',
    );
  }
  const name = scheme.toLowerCase();
  const isDefault = !port || Number(port) === (name === 'http' ? 80 : 443);
  return `${name}://${host.toLowerCase()}${isDefault ? '' : `:${Number(port)}`}`;
}
