"""A browser, as far as forms and cookies go."""

import html
import re
from urllib.parse import urljoin

import requests

CARRIED = ["form", "next", "asked", "organization", "user_code"]


class Browser:
    def __init__(self, base):
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, address):
        return self.session.get(urljoin(self.base, address), allow_redirects=False)

    def post(self, address, page, **fields):
        carried = {name: value for name in CARRIED if (value := field(page, name))}
        return self.session.post(urljoin(self.base, address), data=carried | fields, headers={"Origin": self.base}, allow_redirects=False)

    def open(self, address, person):
        """Opens an address, and signs in where it leads to that."""
        page = self.get(address)
        if page.status_code == 303 and page.headers["Location"].startswith("/sign-in"):
            sign_in = self.get(page.headers["Location"])
            back = self.post("/sign-in", sign_in.text, **person)
            assert back.status_code == 303, back.text
            page = self.get(back.headers["Location"])
        assert page.status_code == 200, (page.status_code, page.headers.get("Location"), page.text)
        return page.text

    def allow(self, address, person):
        """Says yes to a program, and returns the address that the browser is sent to."""
        answer = self.post("/oauth/authorize", self.open(address, person), decision="allow")
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def allow_device(self, address, person):
        """Types the code of a program in, and says yes."""
        consent = self.post("/device", self.open(address, person))
        answer = self.post("/device", consent.text, decision="allow")
        assert answer.status_code == 200, answer.text


def field(page, name):
    tag = next((tag for tag in page.split("<") if tag.startswith("input") and f'name="{name}"' in tag), "")
    value = re.search(r'value="([^"]*)"', tag)
    return html.unescape(value.group(1)) if value else ""
