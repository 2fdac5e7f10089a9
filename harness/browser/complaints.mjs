// Complaints of a browser while it shows a page: policy violations, errors, requests to other hosts.

/** Collects complaints of all pages of a context from now on, as sentences. */
export async function collect(context) {
  const complaints = [];
  await context.exposeBinding('complain', (_source, sentence) => complaints.push(sentence));
  await context.addInitScript(() => {
    const about = (violation) =>
      `violated ${violation.effectiveDirective}: ${violation.blockedURI || violation.blockedURL}`;
    document.addEventListener('securitypolicyviolation', (event) => window.complain(about(event)));
    // A violation before this document had listeners.
    new ReportingObserver((reports) => reports.forEach(({ body }) => window.complain(about(body))), {
      types: ['csp-violation'],
      buffered: true,
    }).observe();
  });
  context.on('weberror', (error) => complaints.push(`threw ${error.error().message}`));
  context.on('console', (message) => {
    const said = message.type();
    if (said === 'error' || said === 'warning') complaints.push(`${said}: ${message.text()}`);
  });
  return complaints;
}
