"""What agreements cost: bringing one into force, a commit under many, and how many others a list can stand beside."""

import threading
import time

import lists
import world
from load import load

MEMBER = ["member_id", "given_name", "family_name", "joined_on", "membership_type", "status", "city", "country"]


class Reader(threading.Thread):
    """Reads while something else goes on, and keeps the 99th percentile of every two seconds, in milliseconds."""

    def __init__(self, commons, token, paths):
        super().__init__()
        self.commons, self.token, self.paths, self.stopped, self.worst = commons, token, paths, threading.Event(), []

    def run(self):
        while not self.stopped.is_set():
            self.worst.append(load(self.commons.url, self.paths, 2, self.token, connections=2)["p99"])

    def stop(self):
        """The worst of them."""
        self.stopped.set()
        self.join()
        return max(self.worst)


def idle(commons, token, paths):
    """The worst of three quiet readings."""
    return max(load(commons.url, paths, 2, token, connections=2)["p99"] for _ in range(3))


def activation(commons, database, folder, options, note):
    """A list of a million members gets its first agreement, while the partner reads another list."""
    file, small = folder / "members.csv", folder / "small.csv"
    if not file.exists():
        lists.write_members(file, options.members)
    lists.write_members(small, 10_000, seed=99)
    partner = commons.organization("partner")
    commons.organization("grower")
    commons.organization("reference")
    dataset, quiet = commons.dataset("grower", "membership"), commons.dataset("reference", "membership")
    commons.serve()
    world.import_(commons, small, quiet)
    world.import_(commons, file, dataset)
    commons.wait_active("reference", commons.share("reference", quiet, "partner", partner, MEMBER))
    token = commons.client_token("partner", "memberships:read")
    paths = ["/api/v1/memberships?limit=50"]
    quietly = idle(commons, token, paths)
    reader = Reader(commons, token, paths)
    reader.start()
    begun = time.monotonic()
    agreement = commons.share("grower", dataset, "partner", partner, MEMBER)
    commons.wait_active("grower", agreement)
    took = time.monotonic() - begun
    note(f"an agreement over {options.members:,} records comes into force", database, took, aim="≤ 20 s", unit="s")
    note("a reader's p99 meanwhile, beside without", database, reader.stop(), quietly, "≤ 5 ×", "ms")


def commit_under_many(commons, database, folder, options, note, agreements=20):
    """One row in a hundred changes, in a list that many agreements show."""
    file = folder / "opportunities.csv"
    lists.write_opportunities(file, options.rows)
    commons.organization("provider")
    dataset = commons.dataset("provider", "opportunity")
    world.import_(commons, file, dataset)
    made = []
    for number in range(agreements):
        slug = f"reader-{number}"
        recipient = commons.organization(slug)
        made.append(commons.share("provider", dataset, slug, recipient, world.FIELDS))
    for agreement in made:
        commons.wait_active("provider", agreement)
    (commons.folder / "provider.csv").write_bytes(file.read_bytes())
    seconds = world.edit_one_in_a_hundred(commons, [("provider", dataset)], 0)
    what = f"a commit of 1 % of {options.rows:,} records under {agreements} agreements"
    note(what, database, seconds, aim="≤ 3 s", unit="s")


def beside_others(commons, database, folder, options, note, paths, providers=45, recipients=44):
    """The partner reads thirty shares, first nearly alone, then among two thousand agreements of others."""
    token, _ = world.opportunities(commons, options.rows)
    before = load(commons.url, paths, options.seconds, token)["rate"]
    small = folder / "few.csv"
    lists.write_opportunities(small, 100)
    others = [(f"other-{number}", commons.organization(f"other-{number}")) for number in range(max(providers, recipients + 1))]
    made = []
    for provider, _ in others[:providers]:
        dataset = commons.dataset(provider, "opportunity")
        world.import_(commons, small, dataset)
        to = [other for other in others if other[0] != provider][:recipients]
        made += [(provider, commons.share(provider, dataset, slug, id_, world.FIELDS)) for slug, id_ in to]
    for provider, agreement in made:
        commons.wait_active(provider, agreement)
    after = load(commons.url, paths, options.seconds, token)["rate"]
    note(f"list of 50 beside {len(made):,} agreements of others, and beside none", database, after, before, "≥ 0.8 ×")
