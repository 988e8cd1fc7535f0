"""For a certbot that cannot load plugins, such as the snap: install by certbot's --deploy-hook.

    certbot certonly --webroot -w /var/lib/mtasts/webroot -d mta-sts.example.org \\
        --deploy-hook mtasts-deploy-hook

certbot runs the hook after the first order and after each renewal, and says in the environment
which certificate it is. Called without that, the hook takes out the virtual hosts of certificates
that `certbot delete` removed, and makes up for a reload that is still owed.
"""

import argparse
import os
import sys
from typing import List, Optional

from certbot_mtasts.apachectl import Apache
from certbot_mtasts.deploy import DEFAULT_VHOST_DIR, Site, is_policy_host
from certbot_mtasts.vhost import VHost
from mtasts.errors import MtastsError
from mtasts.policy_file import DEFAULT_ROOT


def main(argv: Optional[List[str]] = None) -> int:
    """Run the hook; the exit code is 0 if Apache serves what it should, else 1."""
    options = _options(argv)
    site = Site(os.path.abspath(options.vhost_dir), options.policy_dir, Apache(options.ctl))
    live = os.environ.get("RENEWED_LINEAGE")
    try:
        if live is None:
            site.catch_up()
        else:
            _install(site, os.path.abspath(live), os.environ.get("RENEWED_DOMAINS", "").split())
    except MtastsError as error:
        print(f"mtasts-deploy-hook: {error}", file=sys.stderr)
        return 1
    return 0


def _install(site: Site, live: str, names: List[str]) -> None:
    """Install the policy hosts among `names`; other certificates' renewals are none of ours."""
    hosts = tuple(name for name in names if is_policy_host(name))
    if hosts:
        paths = [os.path.join(live, name) for name in ("fullchain.pem", "privkey.pem")]
        site.install(VHost(os.path.basename(live), hosts, *paths))


def _options(argv: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mtasts-deploy-hook",
        description="Let Apache serve MTA-STS policies with the certificate that certbot renewed. "
        "To be named in certbot's --deploy-hook. Called by hand, it takes out the virtual hosts of "
        "deleted certificates, and makes up for a reload that failed earlier.",
    )
    parser.add_argument("--policy-dir", default=DEFAULT_ROOT, help="policies (%(default)s)")
    parser.add_argument(
        "--vhost-dir", default=DEFAULT_VHOST_DIR, help="Apache's virtual hosts (%(default)s)"
    )
    parser.add_argument("--ctl", help="Apache's control program (apache2ctl, httpd or apachectl)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
