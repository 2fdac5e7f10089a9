"""The response headers of the console: what its page may load, and who may embed it."""

PATH = "/console/"

# Scripts and styles are files of the console. Pictures of products are on any host, as shops name
# them. Its requests and its WebSocket go to the host that it came from.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

# Pages of other origins get no handle of its window, and may not embed its files.
ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# Of every response under `PATH`. CloudFront adds Strict-Transport-Security.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    **ISOLATION,
}
