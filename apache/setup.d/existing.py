"""What another virtual host of this Apache already does for a policy host; for existing.sh.

    existing.py vhosts CTL VHOST_DIR HOST...  a line per file of configuration that serves a HOST on
                                              its own: the file, where in it, which HOSTs, and which
                                              other names stand in the same file (tab-separated)
    existing.py policy DOMAIN                 the policy that this machine serves, to stdout
    existing.py id DOMAIN                     the id that DNS publishes, if there is a valid record

Exit code 1 and a message: Apache's configuration is broken, or nothing is served.
"""

import os
import sys
from typing import Dict, List, Sequence

from certbot_mtasts.apachectl import Apache, VirtualHost
from mtasts import probe
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.record import STSRecord


def vhosts(ctl: str, vhost_dir: str, *hosts: str) -> None:
    """Print the files that serve one of `hosts` and are not ours."""
    ours = os.path.join(os.path.realpath(vhost_dir), "")
    files: Dict[str, List[VirtualHost]] = {}
    for one in Apache(ctl).test().vhosts:
        if not os.path.realpath(one.file).startswith(ours):
            files.setdefault(one.file, []).append(one)
    for file, found in files.items():
        if any(host in one.names for one in found for host in hosts):
            _print_file(file, found, hosts)


def _print_file(file: str, found: Sequence[VirtualHost], hosts: Sequence[str]) -> None:
    concerned = [one for one in found if set(one.names) & set(hosts)]
    places = " ".join(f"{one.port}:{one.line}" for one in concerned)
    names = sorted({name for one in found for name in one.names})
    served = " ".join(name for name in names if name in hosts)
    others = " ".join(name for name in names if name not in hosts)
    print(file, places, served, others, sep="\t")


def policy(domain: str) -> None:
    """Write the bytes that Apache serves on this machine for `domain`."""
    answer = probe.fetch_policy(Domain(domain), "127.0.0.1", 443, None)
    if answer.status != 200:
        raise MtastsError("policy-not-served", f"the answer has status {answer.status}", "")
    sys.stdout.buffer.write(answer.body)


def published_id(domain: str) -> None:
    """Print the id of the one STS record of `domain`, or nothing."""
    records = []
    for text in probe.txt(f"_mta-sts.{domain}"):
        if text.startswith("v=STSv1"):
            records.append(STSRecord.parse(text))
    if len(records) == 1:  # RFC 8461 section 3.1: several count as none
        print(records[0].id)


if __name__ == "__main__":
    task = {"vhosts": vhosts, "policy": policy, "id": published_id}[sys.argv[1]]
    try:
        task(*sys.argv[2:])
    except MtastsError as error:
        sys.exit(f"{error}")
