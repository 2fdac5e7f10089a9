// A viewer-request function of CloudFront, for /ws/*: the type in the path becomes a parameter of
// the WebSocket API, which accepts no path after its stage. local/edge.py does the same.
//
// CloudFront's runtime 2.0 is ES 5.1 with const, let and arrow functions. Names and values of the
// query arrive undecoded, names of headers in lower case, and there is no Upgrade header.

function handler(event) {
  const request = event.request;
  const found = /^\/ws\/(user|shop|admin)\/?$/.exec(request.uri);
  if (!found) return notFound();

  const query = request.querystring;
  Object.keys(query).forEach((name) => {
    if (decoded(name) === 'client_type') delete query[name];
  });
  query.client_type = { value: found[1] };

  request.uri = '/ws'; // the stage
  // The origin receives its own name as Host; it compares Origin with this header.
  request.headers['x-vitrina-host'] = { value: request.headers.host.value };
  request.headers['x-vitrina-viewer'] = { value: event.viewer.ip };
  return request;
}

function decoded(name) {
  try {
    return decodeURIComponent(name);
  } catch (malformed) {
    return name;
  }
}

// The HTTP API's response to an unknown path.
function notFound() {
  return {
    statusCode: 404,
    statusDescription: 'Not Found',
    headers: {
      'content-type': { value: 'application/problem+json' },
      'cache-control': { value: 'no-store' },
    },
    body: JSON.stringify({
      type: '/problems#route_not_found',
      title: 'Not found',
      status: 404,
      code: 'route_not_found',
      detail: 'There is no such route.',
    }),
  };
}
