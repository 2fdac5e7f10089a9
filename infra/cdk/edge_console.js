// A viewer-request function of CloudFront, for /console and /console/*: the console is the file
// index.html. local/edge.py does the same.

function handler(event) {
  const request = event.request;
  if (request.uri === '/console') return moved();
  if (request.uri === '/console/') request.uri = '/console/index.html';
  return request;
}

function moved() {
  return {
    statusCode: 308,
    statusDescription: 'Permanent Redirect',
    headers: { location: { value: '/console/' } },
  };
}
