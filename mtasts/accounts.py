"""certbot's ACME accounts, as far as this user may read them."""

import glob
import json
import os
from typing import Tuple

ACCOUNTS = "/etc/letsencrypt/accounts"


def account_uris(directory: str = ACCOUNTS) -> Tuple[str, ...]:
    """The URIs of all accounts below `directory`; none where there are none to be read."""
    found = []
    for path in sorted(glob.glob(os.path.join(directory, "*", "**", "regr.json"), recursive=True)):
        try:
            with open(path, encoding="utf-8") as file:
                uri = json.load(file)["uri"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # advice must not fail because an account is half there
        if isinstance(uri, str):
            found.append(uri)
    return tuple(dict.fromkeys(found))
