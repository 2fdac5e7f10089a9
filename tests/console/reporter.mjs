// A reporter for node --test: a line of JSON for each test, with its failure or without.

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type === 'test:fail' || type === 'test:pass') {
      const error = data.details.error;
      const failure = type === 'test:fail' ? String(error?.cause?.stack ?? error) : '';
      yield `${JSON.stringify({ name: data.name, failure })}\n`;
    }
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
  }
}
