"""A first policy from what DNS says: proposed narrowly, refused where it would be wrong."""

import pytest

from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.policy import Mode
from mtasts.proposal import first_policy, mx_hosts

ORG = Domain("example.org")


def test_the_start_is_testing_for_a_little_more_than_a_day():
    policy = first_policy(["mx.example.org"])
    assert (policy.mode, policy.max_age, policy.mx) == (Mode.TESTING, 86401, ("mx.example.org",))


def test_every_mx_host_once_in_its_order():
    hosts = ["mx1.example.org", "mx2.example.net", "mx1.example.org"]
    assert mx_hosts(ORG, hosts) == ("mx1.example.org", "mx2.example.net")


def test_a_domain_without_mx_is_its_own():
    """RFC 5321 section 5.1."""
    assert mx_hosts(ORG, []) == ("example.org",)


@pytest.mark.parametrize(
    ("hosts", "code"),
    [
        ([""], "mx-null"),  # RFC 7505
        (["mx_1.example.org"], "mx-not-a-host-name"),
        (["192.0.2.1"], "mx-not-a-host-name"),
        (["mx.example.org", ""], "mx-not-a-host-name"),
    ],
)
def test_what_no_policy_can_name_is_refused(hosts, code):
    with pytest.raises(MtastsError) as caught:
        mx_hosts(ORG, hosts)
    assert caught.value.code == code
    assert "example.org" in caught.value.message
