// Lets scripts here find packages that are installed elsewhere: under HAYWARD_PEERS.
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'

const hook = `
export async function resolve(specifier, context, next) {
  if (/^[a-z]/.test(specifier) && !specifier.includes(':')) {
    return next(specifier, { ...context, parentURL: ${JSON.stringify(pathToFileURL(process.env.HAYWARD_PEERS + '/').href)} })
  }
  return next(specifier, context)
}`
register('data:text/javascript,' + encodeURIComponent(hook))
