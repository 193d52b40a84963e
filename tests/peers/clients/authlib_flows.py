"""PyPI `Authlib` against a running commons."""

import json
import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from browser import Browser

at = json.loads(sys.argv[1])
issuer = at["issuer"]


def refused(call, code):
    try:
        call()
    except OAuthError as error:
        assert error.error == code, error
        return
    raise AssertionError(f"{code} was expected")


def session(client, method, **more):
    known = OAuth2Session(
        client,
        at["secret"] if method != "none" else None,
        token_endpoint_auth_method=method,
        redirect_uri=at["redirectUri"],
        revocation_endpoint_auth_method=method,
        code_challenge_method="S256",
        **more,
    )
    known.trust_env = False
    return known


def reads(known):
    return known.get(issuer + at["path"]).status_code


token_url = issuer + "/oauth/token"
for client, method in [
    (at["confidential"], "client_secret_basic"),
    (at["confidential"], "client_secret_post"),
    (at["publicClient"], "none"),
]:
    if method != "none":
        own = session(client, method, scope="opportunities:read")
        own.fetch_token(token_url, grant_type="client_credentials")
        assert reads(own) == 200
    known = session(client, method, scope="opportunities:read")
    verifier = generate_token(48)
    address, state = known.create_authorization_url(issuer + "/oauth/authorize", code_verifier=verifier)
    back = Browser(issuer).allow(address, at["person"])
    tokens = known.fetch_token(token_url, authorization_response=back, state=state, code_verifier=verifier)
    assert reads(known) == 200
    again = dict(tokens)
    known.refresh_token(token_url, refresh_token=tokens["refresh_token"])
    assert reads(known) == 200
    if method != "none":
        about = known.introspect_token(issuer + "/oauth/introspect", token=known.token["access_token"]).json()
        assert about["active"] is True and about["client_id"] == client, about
    # The first refresh token once more: whoever copied it ends it for everybody.
    refused(lambda: known.refresh_token(token_url, refresh_token=again["refresh_token"]), "invalid_grant")
    assert reads(known) == 401
    proof = {"client_id": client} | ({"client_secret": at["secret"]} if method != "none" else {})
    device = requests.post(issuer + "/oauth/device_authorization", data=proof).json()
    Browser(issuer).allow_device(device["verification_uri_complete"], at["person"])
    known.fetch_token(token_url, grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=device["device_code"])
    assert reads(known) == 200
    gone = known.revoke_token(issuer + "/oauth/revoke", token=known.token["refresh_token"], token_type_hint="refresh_token")
    assert gone.status_code == 200, gone.text
    assert reads(known) == 401
print("done")
