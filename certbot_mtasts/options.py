"""The plugin's options, as `certbot --help mtasts` shows them.

Renewal files keep what was given, and certbots up to 2.1 refuse to renew when an option is gone: so
none is ever renamed or removed, and none is a list, which does not survive the file.
"""

from typing import Any, Dict

from certbot_mtasts.challenge import DEFAULT_WEBROOT
from certbot_mtasts.deploy import DEFAULT_VHOST_DIR
from mtasts.policy_file import DEFAULT_ROOT

FLAG: Dict[str, Any] = {
    "dest": "configurator",
    "action": "store_const",
    "help": "Obtain and install certificates for MTA-STS policy hosts with Apache. (default: off)",
}

# Each with the plugin's name before it: --mtasts-policy-dir.
OPTIONS: Dict[str, Dict[str, Any]] = {
    "policy-dir": {
        "default": DEFAULT_ROOT,
        "metavar": "DIRECTORY",
        "help": "Policies, a folder for each domain.",
    },
    "webroot": {
        "default": DEFAULT_WEBROOT,
        "metavar": "DIRECTORY",
        "help": "Challenges are answered below it, in .well-known/acme-challenge.",
    },
    "vhost-dir": {
        "default": DEFAULT_VHOST_DIR,
        "metavar": "DIRECTORY",
        "help": "Apache's virtual hosts, a file for each certificate.",
    },
    "ctl": {
        "default": None,
        "metavar": "PROGRAM",
        "help": "Apache's control program. (default: apache2ctl, httpd or apachectl)",
    },
    "preflight": {
        "default": "fail",
        "choices": ("fail", "skip"),
        "help": "What to do before an order about names that are certain to fail: fail, or skip "
        "them and go on with the others.",
    },
    "resolver": {
        "default": None,
        "metavar": "ADDRESS[:PORT]",
        "help": "DNS resolver for the checks before an order. (default: the machine's own)",
    },
}
