"""A commons under load, made the way anybody would: with `hayward admin`, imports by the command line, agreements over HTTP."""

import csv
import datetime
import http.client
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import time
import urllib.parse

import lists

RELEASE = pathlib.Path(os.environ["HAYWARD_RELEASE"])
HAYWARD = str(RELEASE / "hayward")
PROVIDERS = 30
FIELDS = (
    "reference title description category organization_name city country latitude longitude salary_min salary_max opens_on closes_on status"
).split()


def listening(process, prefix):
    """The URL that a server prints once it listens."""
    for line in process.stdout:
        if prefix in line:
            return "http://" + line.split("http://", 1)[1].split()[0].rstrip("/.,)")
    raise SystemExit("the server ended before it listened")


class Commons:
    """One commons on one database, and the process that serves it."""

    def __init__(self, folder, database_url):
        self.env = os.environ | {"DATABASE_URL": database_url, "HAYWARD_KEY_FILE": str(folder / "keys"), "HAYWARD_LOG": "error"}
        self.folder, self.server, self.url, self.tokens = folder, None, None, {}

    def run(self, *arguments, **options):
        done = subprocess.run([HAYWARD, *arguments, "--json"], env=self.env, capture_output=True, text=True, **options)
        if not done.stdout.strip():
            raise SystemExit(f"hayward {arguments[0]}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def serve(self):
        out = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.server = subprocess.Popen([HAYWARD, "serve", "--listen", "127.0.0.1:0"], env=self.env, **out)
        self.url = listening(self.server, "http://")

    def stop(self):
        if self.server:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(30)

    def call(self, method, path, body=None, token=None, headers=None):
        """One request. Returns the body as bytes; anything but success ends the benchmark."""
        address = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=600)
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {content[:300]}")
        return content

    def json(self, *arguments, **options):
        return json.loads(self.call(*arguments, **options))

    def sign_in(self, slug):
        """A token of the steward of one co-op, who may also write its lists."""
        if slug not in self.tokens:
            email = f"{slug}@example.org"
            self.run("admin", "person", "add", "--email", email, "--name", slug, "--organization", slug, "--role", "steward",
                     "--organization", slug, "--role", "editor", "--password-stdin", input="correct horse battery staple\n")
            answer = self.json("POST", "/api/v1/sessions", {"email": email, "password": "correct horse battery staple"})
            self.tokens[slug] = answer["access_token"]
        return self.tokens[slug]

    def organization(self, slug):
        return self.run("admin", "organization", "add", "--slug", slug, "--name", slug)["id"]

    def dataset(self, slug, schema):
        return self.run("admin", "dataset", "add", "--organization", slug, "--schema", schema, "--name", schema)["id"]

    def client_token(self, slug, scopes):
        client = self.run("admin", "client", "add", "--organization", slug, "--name", "bench", "--scopes", scopes)
        basic = "Basic " + __import__("base64").b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
        form = {"Authorization": basic, "Content-Type": "application/x-www-form-urlencoded"}
        return self.json("POST", "/oauth/token", "grant_type=client_credentials", headers=form)["access_token"]

    def share(self, provider, dataset, recipient, recipient_id, fields):
        """An agreement over all rows, approved by both sides."""
        today = datetime.datetime.now(datetime.timezone.utc).date()
        terms = {
            "dataset": dataset, "audience": {"organization": recipient_id}, "fields": {field: "exact" for field in fields},
            "rows": "all", "record_id": "stable", "purpose": {"code": "job-matching", "text": "To be measured."},
            "lawful_basis": "made up", "onward": "none", "ending": {"delete_within_days": 30}, "starts_on": today.isoformat(),
            "ends_on": (today + datetime.timedelta(days=300)).isoformat(),
            "review_on": (today + datetime.timedelta(days=100)).isoformat(), "contact": "bench@example.org",
        }
        agreement = self.json("POST", "/api/v1/agreements", terms, token=self.sign_in(provider))
        for side in (provider, recipient):
            self.call("POST", f"/api/v1/agreements/{agreement['id']}/approve", {"version": 1}, token=self.sign_in(side))
        return agreement["id"]

    def wait_active(self, slug, agreement):
        for _ in range(1200):
            if self.json("GET", f"/api/v1/agreements/{agreement}", token=self.sign_in(slug))["state"] == "active":
                return
            time.sleep(0.1)
        raise SystemExit("an agreement did not become active")


def opportunities(commons, rows):
    """The world of the reading half: `rows` opportunities of 30 providers, one partner, 30 agreements. Returns the partner's token."""
    commons.run("admin", "settings", "set", "--grace-minutes", "0")
    partner = commons.organization("partner")
    commons.serve()
    agreements = []
    for number in range(PROVIDERS):
        slug = f"coop-{number}"
        commons.organization(slug)
        dataset = commons.dataset(slug, "opportunity")
        file = commons.folder / f"{slug}.csv"
        lists.write_opportunities(file, rows // PROVIDERS + (number < rows % PROVIDERS), first=1 + number * 10_000_000)
        import_(commons, file, dataset)
        agreements.append((slug, dataset, commons.share(slug, dataset, "partner", partner, FIELDS)))
    for slug, _, agreement in agreements:
        commons.wait_active(slug, agreement)
    return commons.client_token("partner", "opportunities:read"), [(slug, dataset) for slug, dataset, _ in agreements]


def import_(commons, file, dataset):
    """Commits a file by the command line; columns that nothing matches are kept private."""
    draft = commons.run("import", str(file), "--dataset", dataset)
    matching = commons.folder / "matching.json"
    open_columns = [column for column in draft["columns"] if column["field"] is None]
    columns = [{"column": c["column"], "header": c["header"], "field": {"private": True}} for c in open_columns]
    matching.write_text(json.dumps({"columns": columns}))
    return commons.run("import", str(file), "--dataset", dataset, "--matching", str(matching), "--commit")


def edit_one_in_a_hundred(commons, datasets, edition):
    """One more edition of every dataset: one row in a hundred gets another title. Returns the seconds that the commits took."""
    took = 0
    for number, (slug, dataset) in enumerate(datasets):
        with open(commons.folder / f"{slug}.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        random_ = random.Random(f"{edition} {number}")
        text = io.StringIO()
        out = csv.writer(text)
        out.writerow(rows[0])
        for row in random_.sample(rows[1:], max(1, len(rows) // 100)):
            out.writerow([row[0], f"{row[1]} {edition}", *row[2:]])
        token = commons.sign_in(slug)
        made = commons.json("POST", f"/api/v1/datasets/{dataset}/imports?filename=edit.csv", text.getvalue().encode(), token=token)
        while made["state"] == "reading":
            made = commons.json("GET", f"/api/v1/imports/{made['id']}", token=token)
        if made["state"] == "draft":
            open_columns = [column for column in made["columns"] if column["field"] is None]
            columns = [{"column": c["column"], "header": c["header"], "field": {"private": True}} for c in open_columns]
            commons.call("PUT", f"/api/v1/imports/{made['id']}/matching", {"columns": columns}, token=token)
        begun = time.monotonic()
        commons.call("POST", f"/api/v1/imports/{made['id']}/commit", {}, token=token)
        while commons.json("GET", f"/api/v1/imports/{made['id']}", token=token)["state"] == "committing":
            time.sleep(0.01)
        took += time.monotonic() - begun
    return took
