// A viewer-request function of CloudFront, for all that has no other: the origin learns the address
// of the client, whatever the client says. local/edge.py does the same.

function handler(event) {
  const request = event.request;
  request.headers['x-vitrina-viewer'] = { value: event.viewer.ip };
  return request;
}
