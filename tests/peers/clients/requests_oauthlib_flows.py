"""PyPI `requests-oauthlib` against a running commons."""

import json
import os
import sys

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from browser import Browser

at = json.loads(sys.argv[1])
issuer = at["issuer"]
token_url = issuer + "/oauth/token"


def reads(known):
    return known.get(issuer + at["path"]).status_code


own = OAuth2Session(client=BackendApplicationClient(client_id=at["confidential"], scope=["opportunities:read"]))
own.trust_env = False
own.fetch_token(token_url, auth=HTTPBasicAuth(at["confidential"], at["secret"]), scope=["opportunities:read"])
assert reads(own) == 200

for client, secret in [(at["confidential"], at["secret"]), (at["publicClient"], None)]:
    known = OAuth2Session(client, redirect_uri=at["redirectUri"], scope=["opportunities:read"], pkce="S256")
    known.trust_env = False
    address, state = known.authorization_url(issuer + "/oauth/authorize")
    back = Browser(issuer).allow(address, at["person"])
    tokens = known.fetch_token(token_url, authorization_response=back, client_secret=secret, include_client_id=True)
    assert reads(known) == 200
    about = {"client_id": client} | ({"client_secret": secret} if secret else {})
    first = tokens["refresh_token"]
    known.refresh_token(token_url, refresh_token=first, **about)
    assert reads(known) == 200
    try:
        known.refresh_token(token_url, refresh_token=first, **about)
    except InvalidGrantError:
        pass
    else:
        raise AssertionError("a refresh token was good for two")
    assert known.request("GET", issuer + at["path"], withhold_token=False).status_code == 401
print("done")
