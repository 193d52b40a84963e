// A browser, as far as forms and cookies go.
export class Browser {
  constructor (base) {
    this.base = base
    this.jar = new Map()
  }

  async request (address, options = {}) {
    const url = new URL(address, this.base)
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...options.headers, ...(cookie ? { cookie } : {}) }
    const answer = await fetch(url, { ...options, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=')
      if (line.includes('Max-Age=0')) this.jar.delete(name)
      else this.jar.set(name, value)
    }
    return { status: answer.status, location: answer.headers.get('location'), text: await answer.text() }
  }

  async post (address, page, fields) {
    const form = new URLSearchParams()
    for (const name of ['form', 'next', 'asked', 'organization', 'user_code']) {
      const value = field(page, name)
      if (value) form.set(name, value)
    }
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: this.base }
    return this.request(address, { method: 'POST', body: form.toString(), headers })
  }

  // Opens an address, and signs in where it leads to that.
  async open (address, { email, password }) {
    let page = await this.request(address)
    if (page.status === 303 && page.location.startsWith('/sign-in')) {
      const signIn = await this.request(page.location)
      const back = await this.post('/sign-in', signIn.text, { email, password })
      if (back.status !== 303) throw new Error(`signing in was answered ${back.status}`)
      page = await this.request(back.location)
    }
    if (page.status !== 200) throw new Error(`${address} was answered ${page.status} ${page.location ?? page.text}`)
    return page.text
  }

  // Says yes to a program, and returns the address that the browser is sent to.
  async allow (address, person) {
    const page = await this.open(address, person)
    const answer = await this.post('/oauth/authorize', page, { decision: 'allow' })
    if (answer.status !== 303) throw new Error(`consent was answered ${answer.status}: ${answer.text}`)
    return new URL(answer.location)
  }

  // Types the code of a program in, and says yes.
  async allowDevice (address, person) {
    const page = await this.open(address, person)
    const consent = await this.post('/device', page, {})
    const answer = await this.post('/device', consent.text, { decision: 'allow' })
    if (answer.status !== 200) throw new Error(`the code was answered ${answer.status}: ${answer.text}`)
  }
}

function field (page, name) {
  const tag = page.split('<').find(tag => tag.includes(`name="${name}"`) && tag.startsWith('input'))
  const value = tag?.match(/value="([^"]*)"/)?.[1] ?? ''
  return value.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))).replaceAll('&amp;', '&')
}
