"""Load, by `wrk`: one thread, 16 connections that stay open, requests drawn at random from a list of paths."""

import json
import re
import subprocess
import tempfile

SCRIPT = """
local paths = {{}}
for path in io.lines("{paths}") do paths[#paths + 1] = path end
math.randomseed(7)
{token}
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
local failed = 0
done = function(summary, latency, requests)
    io.write(string.format('RESULT {{"rate": %.1f, "p50": %.3f, "p99": %.3f, "failed": %d}}\\n',
        summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


def load(url, paths, seconds, token=None, connections=16):
    """Requests a second, and the median and 99th percentile of their time in milliseconds. Any answer but success ends it all."""
    with tempfile.NamedTemporaryFile("w") as listed, tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        listed.write("".join(f"{path}\n" for path in paths))
        listed.flush()
        header = f'wrk.headers["Authorization"] = "Bearer {token}"' if token else ""
        script.write(SCRIPT.format(paths=listed.name, token=header))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", script.name, url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    result = json.loads(found.group(1))
    if result["failed"]:
        raise SystemExit(f"{result['failed']} requests failed: {done.stdout}")
    return result
