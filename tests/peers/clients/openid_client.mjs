// npm `openid-client` against a running commons: every flow that it has and we have.
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { Browser } from './browser.mjs'

const { issuer, confidential, secret, publicClient, redirectUri, person, path } = JSON.parse(process.argv[2])
const insecure = { execute: [client.allowInsecureRequests], algorithm: 'oauth2' }
const reads = async token => {
  const answer = await fetch(issuer + path, { headers: { authorization: `Bearer ${token}` } })
  return answer.status === 200 ? (await answer.json()).items.length : answer.status
}

for (const [id, auth] of [
  [confidential, client.ClientSecretBasic(secret)],
  [confidential, client.ClientSecretPost(secret)],
  [publicClient, client.None()]
]) {
  const config = await client.discovery(new URL(issuer), id, undefined, auth, insecure)
  const own = id === publicClient
    ? undefined
    : await client.clientCredentialsGrant(config, { scope: 'opportunities:read', resource: issuer })
  if (own) assert.ok(await reads(own.access_token) > 0)

  const codeVerifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const asked = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'opportunities:read directory:read',
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    resource: issuer,
    state
  })
  const back = await new Browser(issuer).allow(asked.href, person)
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: codeVerifier, expectedState: state })
  assert.deepEqual(tokens.scope.split(' ').sort(), ['directory:read', 'opportunities:read'])
  assert.ok(await reads(tokens.access_token) > 0)

  const next = await client.refreshTokenGrant(config, tokens.refresh_token, { scope: 'opportunities:read' })
  assert.equal(next.scope, 'opportunities:read')
  assert.ok(await reads(next.access_token) > 0)
  if (id !== publicClient) {
    assert.equal((await client.tokenIntrospection(config, next.access_token)).active, true)
    assert.equal((await client.tokenIntrospection(config, 'hwt_never')).active, false)
  }
  await client.tokenRevocation(config, next.refresh_token)
  assert.equal(await reads(next.access_token), 401)

  const device = await client.initiateDeviceAuthorization(config, { scope: 'opportunities:read' })
  await new Browser(issuer).allowDevice(device.verification_uri_complete, person)
  const given = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0 })
  assert.ok(await reads(given.access_token) > 0)
}
console.log('done')
