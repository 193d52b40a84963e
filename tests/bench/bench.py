"""One table: Hayward beside a bare program (reading) and beside `sqlite3 .import` (writing). See `run`."""

import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import agreements
import lists
import world
from load import load

TABLE = []


def note(what, database, ours, bare=None, aim="", unit="/s"):
    """One line of the table; printed at once as well, since the whole takes long. An aim is a bound, of the ratio where it ends in ×."""
    ratio = f"{ours / bare:.2f} ×" if bare else ""
    met = ""
    if aim:
        sign, bound, of = aim.split()
        reached = ours / bare if of == "×" else ours
        met = "met" if (reached <= float(bound) if sign == "≤" else reached >= float(bound)) else "missed"
    TABLE.append((what, database, f"{ours:,.6g} {unit}", f"{bare:,.6g} {unit}" if bare else "", ratio, aim, met))
    print("  ".join(TABLE[-1]), file=sys.stderr, flush=True)


def filters(random_):
    return [(random_.choice(lists.CATEGORIES), random_.choice(lists.COUNTRIES)) for _ in range(240)]


def filtered_lists(random_):
    """What a partner asks for most: a page of one category in one country."""
    return [f"/api/v1/opportunities?category={category}&country={country}&limit=50" for category, country in filters(random_)]


def searches(random_):
    """Two words of a title or a description, which the list has many of, as somebody looks for them."""
    return [" ".join(random_.sample(lists.NOUNS, 2)) for _ in range(240)]


class Bare:
    """The program to compare with, over the same rows."""

    def __init__(self, folder, rows):
        self.binary, self.folder = str(world.RELEASE / "bare"), folder
        lists.write_opportunities(folder / "bare.csv", rows)
        subprocess.run([self.binary, "load", folder / "bare.csv", folder / "bare.db"], check=True)
        self.rows = rows

    def measure(self, seconds):
        port = random.Random().randrange(20_000, 40_000)
        process = subprocess.Popen([self.binary, "serve", self.folder / "bare.db", str(port)])
        try:
            time.sleep(1)
            url, random_ = f"http://127.0.0.1:{port}", random.Random(1)
            filtered = [f"/items?category={category}&country={country}&limit=50" for category, country in filters(random_)]
            ids = [f"/items/{random_.randrange(1, self.rows)}" for _ in range(5_000)]
            deep = [f"/items?after={self.rows // 2}&limit=50"]
            found = [f"/items?q={query.replace(' ', '+')}&limit=50" for query in searches(random.Random(2))]
            kinds = [("list", filtered), ("get", ids), ("deep", deep), ("search", found)]
            return {name: load(url, paths, seconds) for name, paths in kinds}
        finally:
            process.terminate()
            process.wait()


def page_after(commons, token, rows):
    """The cursor of the page that follows the first `rows` rows."""
    cursor, seen = "", 0
    while seen < rows:
        page = commons.json("GET", f"/api/v1/opportunities?limit=1000{cursor}", token=token)
        seen += len(page["items"])
        cursor = f"&cursor={page['next']}"
    # A cursor is bound to its request; the limit is not part of it.
    return cursor


def reading(commons, database, bare, options):
    token, datasets = world.opportunities(commons, options.rows)
    random_ = random.Random(1)
    filtered = filtered_lists(random_)
    lines = commons.call("GET", "/api/v1/opportunities", token=token, headers={"Accept": "application/x-ndjson"}).splitlines()
    assert len(lines) == options.rows, f"{len(lines)} rows are shared"
    ids = [f"/api/v1/opportunities/{json.loads(line)['id']}" for line in random_.sample(lines, min(5_000, len(lines)))]

    def measure(paths):
        return load(commons.url, paths, options.seconds, token)["rate"]

    note("list of 50 by category and country", database, measure(filtered), bare["list"]["rate"], "≥ 0.5 ×")
    note("one by id", database, measure(ids), bare["get"]["rate"], "≥ 0.3 ×")
    found = [f"/api/v1/opportunities?q={query.replace(' ', '+')}&limit=50" for query in searches(random.Random(2))]
    note("search for two words, 50 of what is found", database, measure(found), bare["search"]["rate"], "≥ 0.5 ×")
    deep = [f"/api/v1/opportunities?limit=50{page_after(commons, token, options.rows // 2)}"]
    note(f"the page after {options.rows // 2:,} rows", database, measure(deep), bare["deep"]["rate"], "≥ 0.5 ×")
    for edition in range(options.editions):
        world.edit_one_in_a_hundred(commons, datasets, edition)
    if options.editions:
        what = f"list of 50 after {options.editions} editions of 1 %"
        note(what, database, measure(filtered), bare["list"]["rate"], "≥ 0.45 ×")
        deep = [f"/api/v1/opportunities?limit=50{page_after(commons, token, options.rows // 2)}"]
        note(f"the page after {options.rows // 2:,}, then", database, measure(deep), bare["deep"]["rate"])


def timed(command, env=None):
    """Seconds, and the most memory in MiB. Exit status 1 means rows with problems, which the list has."""
    begun = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{command[:2]} failed")
    return time.monotonic() - begun, usage.ru_maxrss / 1024


def writing(commons, database, folder, options):
    file = folder / "members.csv"
    if not file.exists():
        lists.write_members(file, options.members)
    (folder / "plain.db").unlink(missing_ok=True)
    plain, _ = timed(["sqlite3", str(folder / "plain.db"), "-cmd", ".mode csv", f".import {file} members"])
    note(f"sqlite3 .import of {options.members:,} members", "sqlite", plain, unit="s")
    checked, memory = timed([world.HAYWARD, "check", str(file), "--schema", "membership", "--json"])
    note("hayward check", "none", checked, plain, "≤ 0.7 ×", "s")
    note("its memory", "none", memory, aim="≤ 300 MiB", unit="MiB")
    book = folder / "members.xlsx"
    if not book.exists():
        lists.write_workbook(book)
    checked, memory = timed([world.HAYWARD, "check", str(book), "--schema", "membership", "--json"])
    note("hayward check of an xlsx, 100,000 × 14", "none", checked, aim="≤ 6 s", unit="s")
    note("its memory", "none", memory, aim="≤ 300 MiB", unit="MiB")

    commons.run("admin", "settings", "set", "--grace-minutes", "0")
    partner = commons.organization("partner")
    commons.organization("grower")
    commons.organization("reference")
    dataset = commons.dataset("grower", "membership")
    quiet = commons.dataset("reference", "membership")
    commons.serve()
    fields = ["member_id", "given_name", "family_name", "joined_on", "membership_type", "status", "city", "country"]
    agreement = commons.share("grower", dataset, "partner", partner, fields)
    steady = commons.share("reference", quiet, "partner", partner, fields)
    small = folder / "small.csv"
    lists.write_members(small, 10_000, seed=99)
    timed([world.HAYWARD, "import", str(small), "--dataset", quiet, "--commit", "--json"], commons.env)
    commons.wait_active("grower", agreement)
    commons.wait_active("reference", steady)
    token = commons.client_token("partner", "memberships:read")
    page = commons.json("GET", "/api/v1/memberships?limit=1000", token=token)
    while page["next"]:
        last = f"/api/v1/memberships?limit=1000&cursor={page['next']}"
        page = commons.json("GET", last, token=token)
    paths = ["/api/v1/memberships?limit=50", last]
    idle = agreements.idle(commons, token, paths)
    reader = agreements.Reader(commons, token, paths)
    reader.start()
    command = [world.HAYWARD, "import", str(file), "--dataset", dataset, "--commit", "--json"]
    written, memory = timed(command, commons.env)
    worst = reader.stop()
    note("hayward import --commit, one agreement, with readers", database, written, plain, unit="s")
    note("its memory", database, memory, aim="≤ 300 MiB", unit="MiB")
    note("a reader's p99 meanwhile, beside without", database, worst, idle, "≤ 5 ×", "ms")
    again, memory = timed(command, commons.env)
    note("the same file again", database, again, plain, "≤ 1 ×", "s")
    note("its memory", database, memory, aim="≤ 300 MiB", unit="MiB")
    alone(commons, database, file, plain)


def alone(commons, database, file, plain):
    """The same import with nobody reading: into another list, with an agreement of its own."""
    commons.organization("second")
    dataset = commons.dataset("second", "membership")
    partner = commons.json("GET", "/api/v1/agreements", token=commons.sign_in("partner"))["items"][0]["recipient"]
    fields = ["member_id", "given_name", "family_name", "joined_on", "membership_type", "status", "city", "country"]
    commons.wait_active("second", commons.share("second", dataset, "partner", partner, fields))
    command = [world.HAYWARD, "import", str(file), "--dataset", dataset, "--commit", "--json"]
    written, memory = timed(command, commons.env)
    note("hayward import --commit, one agreement", database, written, plain, "≤ 4 ×", "s")
    note("its memory", database, memory, aim="≤ 300 MiB", unit="MiB")


def agreeing(commons, database, folder, options):
    commons.run("admin", "settings", "set", "--grace-minutes", "0")
    agreements.activation(commons, database, folder, options, note)
    agreements.commit_under_many(commons, database, folder, options, note)


def among_many(commons, database, folder, options):
    agreements.beside_others(commons, database, folder, options, note, filtered_lists(random.Random(1)))


def databases(options, folder):
    """Each database to measure on, with a commons' folder; PostgreSQL as a throw-away cluster of the tests'."""
    if options.database in (None, "sqlite"):
        yield "sqlite", lambda name: f"sqlite:{folder / name}.db"
    if options.database in (None, "postgres"):
        cluster = subprocess.Popen(["bash", "tests/cluster/serve", "tended"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            url = cluster.stdout.readline().strip()

            def database(name):
                subprocess.run(["psql", url, "-q", "-c", f"create database bench_{name}"], check=True)
                return url.rsplit("/", 1)[0] + f"/bench_{name}"

            yield "postgres", database
        finally:
            cluster.stdin.close()
            cluster.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--editions", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--only", choices=["reading", "writing", "agreements"])
    parser.add_argument("--database", choices=["sqlite", "postgres"])
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hayward-bench-"))
    try:
        bare = Bare(folder, options.rows).measure(options.seconds) if options.only in (None, "reading") else None
        for database, url in databases(options, folder):
            parts = {
                "reading": [lambda *world_: reading(*world_[:2], bare, options)],
                "writing": [writing],
                "agreements": [agreeing, among_many],
            }
            for part, measured in parts.items():
                for number, measure in enumerate(measured if options.only in (None, part) else []):
                    place = folder / f"{database}-{part}-{number}"
                    place.mkdir()
                    commons = world.Commons(place, url(f"{part}_{number}"))
                    try:
                        measure(commons, database, folder, options)
                    finally:
                        commons.stop()
    finally:
        shutil.rmtree(folder)
    titles = ("what", "database", "Hayward", "beside", "ratio", "aim", "met")
    widths = [max(len(line[at]) for line in [titles, *TABLE]) for at in range(len(titles))]
    for line in [titles, *TABLE]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
        if line is titles:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


if __name__ == "__main__":
    # A server under load has many connections.
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    main()
