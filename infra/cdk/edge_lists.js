// A viewer-request function of CloudFront, for /api/v1/products: requests for approved products lose
// their token, because the list is the same for everyone, so that all phones share a cache entry.
// They also lose a position that is none, which would make an entry of its own out of the same list.
// Unknown parameters stay: the origin refuses them, and refusals are not kept.
//
// If another list is mistaken for an approved one, the origin refuses the request without a token.

function handler(event) {
  const request = event.request;
  if (/^(GET|HEAD)$/.test(request.method) && isOfApproved(request.querystring.status)) {
    delete request.headers.authorization;
    unify(request.querystring);
  }
  request.headers['x-vitrina-viewer'] = { value: event.viewer.ip };
  return request;
}

// Without a status, approved products are listed.
function isOfApproved(status) {
  return !status || (status.value === 'approved' && !status.multiValue);
}

function unify(query) {
  const since = position(query.since);
  delete query.since;
  if (query.cursor && query.cursor.value === '') delete query.cursor; // the first page
  if (since) query.since = { value: since };
  // No name has a percent sign, but every name can be spelled with some.
  Object.keys(query).forEach((name) => {
    if (name.indexOf('%') >= 0) delete query[name];
  });
}

// An epoch and a number, as in 3f0c9a1e:58. Values arrive undecoded.
function position(since) {
  if (!since || since.multiValue) return '';
  const text = since.value.replace(/%3a/i, ':');
  return /^[0-9a-f]{8}:[0-9]{1,15}$/.test(text) ? text : '';
}
