// npm `oauth4webapi`, which looks at every answer closely, against a running commons.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { Browser } from './browser.mjs'

const { issuer, confidential, secret, redirectUri, person, path } = JSON.parse(process.argv[2])
const insecure = { [oauth.allowInsecureRequests]: true }
const client = { client_id: confidential }
const auth = oauth.ClientSecretBasic(secret)
const read = async token => oauth.protectedResourceRequest(token, 'GET', new URL(issuer + path), undefined, undefined, insecure)

// From a refused request to the authorization server (RFC 9728), without knowing anything else.
const refused = await fetch(issuer + '/api/v1/agreements')
assert.match(refused.headers.get('www-authenticate'), /^Bearer resource_metadata="/)
const resource = await oauth.resourceDiscoveryRequest(new URL(issuer), insecure)
  .then(answer => oauth.processResourceDiscoveryResponse(new URL(issuer), answer))
const server = await oauth.discoveryRequest(new URL(resource.authorization_servers[0]), { algorithm: 'oauth2', ...insecure })
  .then(answer => oauth.processDiscoveryResponse(new URL(issuer), answer))

const own = await oauth.clientCredentialsGrantRequest(server, client, auth, { scope: 'opportunities:read' }, insecure)
  .then(answer => oauth.processClientCredentialsResponse(server, client, answer))
assert.equal((await read(own.access_token)).status, 200)

const codeVerifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const asked = new URL(server.authorization_endpoint)
const challenge = await oauth.calculatePKCECodeChallenge(codeVerifier)
for (const [name, value] of Object.entries({
  client_id: confidential, redirect_uri: redirectUri, response_type: 'code', scope: 'opportunities:read', state,
  code_challenge: challenge, code_challenge_method: 'S256', resource: resource.resource
})) asked.searchParams.set(name, value)
const back = await new Browser(issuer).allow(asked.href, person)
// Insists on `iss` and `state`.
const answer = oauth.validateAuthResponse(server, client, back, state)
const exchange = () => oauth.authorizationCodeGrantRequest(server, client, auth, answer, redirectUri, codeVerifier, insecure)
const tokens = await oauth.processAuthorizationCodeResponse(server, client, await exchange())
assert.equal((await read(tokens.access_token)).status, 200)

const next = await oauth.refreshTokenGrantRequest(server, client, auth, tokens.refresh_token, insecure)
  .then(answer => oauth.processRefreshTokenResponse(server, client, answer))
assert.notEqual(next.refresh_token, tokens.refresh_token)
const known = await oauth.introspectionRequest(server, client, auth, next.access_token, insecure)
  .then(answer => oauth.processIntrospectionResponse(server, client, answer))
assert.equal(known.active, true)

// The code once more: an error of its own, and everything is over.
await assert.rejects(exchange().then(answer => oauth.processAuthorizationCodeResponse(server, client, answer)),
  error => error.error === 'invalid_grant')
await assert.rejects(read(next.access_token), error => error instanceof oauth.WWWAuthenticateChallengeError &&
  error.cause[0].parameters.error === 'invalid_token')

const device = await oauth.deviceAuthorizationRequest(server, client, auth, { scope: 'opportunities:read' }, insecure)
  .then(answer => oauth.processDeviceAuthorizationResponse(server, client, answer))
const poll = () => oauth.deviceCodeGrantRequest(server, client, auth, device.device_code, insecure)
  .then(answer => oauth.processDeviceCodeResponse(server, client, answer))
await new Browser(issuer).allowDevice(device.verification_uri_complete, person)
const given = await poll()
assert.equal((await read(given.access_token)).status, 200)
await oauth.revocationRequest(server, client, auth, given.refresh_token, insecure)
  .then(answer => oauth.processRevocationResponse(answer))
await assert.rejects(read(given.access_token), error => error instanceof oauth.WWWAuthenticateChallengeError)
console.log('done')
