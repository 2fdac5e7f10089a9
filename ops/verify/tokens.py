"""Tokens: logging in, and what ends with a disconnected account."""

from ops.verify import handshakes
from ops.verify.expectation import Unexpected, expect
from ops.verify.site import Site, problem

CLOSE_SECONDS = 20
TOO_MANY = 429
# An address has 30 tries from one source, and one more each minute.
MAX_FAILURES = 40


def wrong_password(site: Site) -> str:
    site.token("shop")
    email = site.footprint.cast.people["shop"].email
    body = {"email": email, "password": "not the password"}
    answer = site.request("POST", "/api/v1/auth/login", json=body)
    return expect(problem(answer), "401 credentials_invalid")


def failed_logins(site: Site) -> str:
    """Fail with an address of this run until the answer says how long to wait."""
    site.token("admin")
    body = {"email": site.footprint.cast.people["admin"].email, "password": "not the password"}
    for _ in range(MAX_FAILURES):
        answer = site.request("POST", "/api/v1/auth/login", json=body)
        if answer.status_code == TOO_MANY:
            break
    waits = "Retry-After" if answer.headers.get("Retry-After") else "no Retry-After"
    return expect(f"{problem(answer)}, {waits}", "429 too_many_attempts, Retry-After")


def refresh(site: Site) -> str:
    site.token("user")
    body = {"refresh_token": site.begin_session("user")["refresh_token"]}
    return expect(site.request("POST", "/api/v1/auth/refresh", json=body).status_code, 200)


def logout(site: Site) -> str:
    """Log a session out, and use its token again."""
    site.token("user")
    token = site.login("user")
    answer = site.request("POST", "/api/v1/auth/logout", token)
    refused = problem(site.request("GET", "/api/v1/me", token))
    return expect(f"{answer.status_code}, then {refused}", "204, then 401 token_revoked")


def disconnected_account(site: Site) -> str:
    """Disconnect an account: `closing`, a close frame, and then its token is refused."""
    site.token("leaver")
    token = site.login("leaver")
    account_id = site.footprint.account_ids["leaver"]
    path = f"/api/v1/admin/accounts/{account_id}/disconnect"
    with site.connect("user", token) as client:
        site.request("POST", path, site.token("admin")).raise_for_status()
        site.until(lambda: client.is_closed, CLOSE_SECONDS, "close frame")
        closings = [frame.event["data"]["reason"] for frame in client.events("closing")]
    if closings != ["account_disconnected"]:
        raise Unexpected(f"closed without closing: {closings}")
    refused = problem(site.request("GET", "/api/v1/me", token))
    status = site.handshake("user", token)
    return expect(
        f"closing, close, {refused}, handshake {status}",
        f"closing, close, 401 token_revoked, handshake {handshakes.unauthorized(site)}",
    )
