"""What an operator asks for becomes a policy: spans, names, wishes, and whom they would hurt."""

import threading

import pytest

from mtasts import at_once, duration, idn, public_suffix, reach
from mtasts.change import Wishes, changed, new_findings
from mtasts.domain import Domain, InvalidDomain, MXPattern
from mtasts.errors import MtastsError
from mtasts.holder import ClassName, InvalidClassName, holder
from mtasts.policy import InvalidPolicy, Mode, Policy

ORG, NET = Domain("example.org"), Domain("example.net")
OLD = Policy(Mode.TESTING, 86401, ("mx1.example.org", "mx2.example.org")).to_bytes()


def patterns(*names):
    return tuple(MXPattern(name) for name in names)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2592000", 2592000),
        ("0", 0),
        ("86401s", 86401),
        ("12h", 43200),
        ("1d", 86400),
        ("1w", 604800),
        ("1y", 31536000),
    ],
)
def test_a_span_is_seconds_or_a_number_with_its_unit(text, seconds):
    assert duration.seconds(text) == seconds
    assert duration.seconds(duration.spoken(seconds)) == seconds


@pytest.mark.parametrize(
    "text", ["", "w", "1 w", "1W", "-1", "+1", "1.5d", "1_0", "\u0661", "1m", "1d\n", "12345678901"]
)
def test_what_is_no_span_is_refused(text):
    with pytest.raises(duration.InvalidDuration):
        duration.seconds(text)


@pytest.mark.parametrize("text", ["@a", "@mx-cluster-1", "@" + "a" * 63])
def test_a_class_has_a_name_that_no_domain_has(text):
    assert isinstance(holder(text), ClassName)
    with pytest.raises(InvalidDomain):
        Domain(text)


@pytest.mark.parametrize(
    "text", ["@", "@A", "@-a", "@a-", "@a.b", "@a/b", "@..", "@a\n", "@" + "a" * 64]
)
def test_what_is_no_name_of_a_class_is_refused(text):
    with pytest.raises(InvalidClassName):
        holder(text)


def test_a_wish_changes_one_thing_only():
    assert Policy.parse(changed(OLD, Wishes(mode=Mode.ENFORCE))) == Policy(
        Mode.ENFORCE, 86401, ("mx1.example.org", "mx2.example.org")
    )
    assert Policy.parse(changed(OLD, Wishes(max_age=0))).max_age == 0


@pytest.mark.parametrize(
    ("wishes", "mx"),
    [
        (Wishes(mx=patterns("a.example.org")), ("a.example.org",)),
        (
            Wishes(add_mx=patterns("mx3.example.org", "mx1.example.org")),
            ("mx1.example.org", "mx2.example.org", "mx3.example.org"),
        ),
        (Wishes(remove_mx=patterns("mx1.example.org")), ("mx2.example.org",)),
        (
            Wishes(add_mx=patterns("b.example.org"), remove_mx=patterns("mx2.example.org")),
            ("mx1.example.org", "b.example.org"),
        ),
    ],
)
def test_mx_lines_are_named_added_and_removed_in_their_order(wishes, mx):
    assert Policy.parse(changed(OLD, wishes)).mx == mx


def test_an_mx_that_is_not_there_is_not_removed_silently():
    with pytest.raises(MtastsError) as caught:
        changed(OLD, Wishes(remove_mx=patterns("mx9.example.org")))
    assert caught.value.code == "mx-not-named"


def test_the_last_mx_is_not_removed():
    with pytest.raises(InvalidPolicy) as caught:
        changed(OLD, Wishes(remove_mx=patterns("mx1.example.org", "mx2.example.org")))
    assert caught.value.code == "policy-mx-missing"


def test_line_endings_stay_and_so_does_what_means_the_same():
    lf = OLD.replace(b"\r\n", b"\n")
    assert b"\r" not in changed(lf, Wishes(mode=Mode.ENFORCE))
    odd = OLD + b"x-note: kept\r\n"
    assert changed(odd, Wishes(mode=Mode.TESTING)) == odd


def test_only_what_is_new_is_said():
    short = OLD.replace(b"86401", b"60")
    assert {one.code for one in new_findings(OLD, short)} == {"policy-max-age-short"}
    assert new_findings(short, short.replace(b"testing", b"enforce")) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.org", "example.org"),
        ("B\u00dccher.example", "xn--bcher-kva.example"),
        ("*.b\u00fccher.example", "*.xn--bcher-kva.example"),
        ("fa\u00df.example", "xn--fa-hia.example"),
        ("exam_ple.org", "exam_ple.org"),
    ],
)
def test_u_labels_become_a_labels(text, expected):
    assert idn.a_labels(text) == expected


@pytest.mark.parametrize(
    "text", ["b\u00fc cher.example", "\u202e.example", "a..\u00fc", "\ud800.example"]
)
def test_what_has_no_a_labels_is_refused(text):
    with pytest.raises(InvalidDomain) as caught:
        idn.a_labels(text)
    assert caught.value.code == "domain-not-ascii"


SUFFIXES = """
// a comment
org
uk
co.uk
*.ck
!www.ck
\u4e2d\u56fd
// ===END ICANN DOMAINS===
blogspot.com
"""


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("org", True),
        ("example.org", False),
        ("co.uk", True),
        ("example.co.uk", False),
        ("anything.ck", True),
        ("www.ck", False),
        ("xn--fiqs8s", True),
        ("blogspot.com", False),
        ("unknown", True),
        ("xn--0.example.org", False),
    ],
)
def test_a_public_suffix_is_one_by_the_list(domain, expected):

    assert public_suffix.is_public_suffix(Domain(domain), SUFFIXES) is expected


def policy(mode, *mx):
    return Policy(mode, 604800, mx)


ENFORCE_BOTH = policy(Mode.ENFORCE, "mx1.example.org", "mx2.example.org")
ENFORCE_ONE = policy(Mode.ENFORCE, "mx1.example.org")


@pytest.mark.parametrize(
    ("old", "new", "hosts", "lost"),
    [
        (ENFORCE_BOTH, ENFORCE_ONE, ["mx1.example.org", "MX2.example.org."], ("MX2.example.org.",)),
        (ENFORCE_ONE, ENFORCE_BOTH, ["mx9.example.org"], ()),  # nothing is taken away
        (ENFORCE_BOTH, ENFORCE_ONE, ["mx9.example.org"], ()),  # was not covered before either
        (
            policy(Mode.TESTING, "mx1.example.org"),
            ENFORCE_ONE,
            ["mx9.example.org"],
            ("mx9.example.org",),
        ),
        (ENFORCE_BOTH, policy(Mode.NONE, "mx1.example.org"), ["mx2.example.org"], ()),
        (ENFORCE_BOTH, ENFORCE_ONE, [""], ()),  # a null MX takes no mail
        (ENFORCE_BOTH, ENFORCE_ONE, [], ()),  # its own MX, and not covered before either
        (policy(Mode.ENFORCE, "example.org"), ENFORCE_ONE, [], ("example.org",)),
        (None, ENFORCE_ONE, ["mx2.example.org"], ("mx2.example.org",)),
        (
            policy(Mode.ENFORCE, "*.example.org"),
            ENFORCE_ONE,
            ["mx2.example.org"],
            ("mx2.example.org",),
        ),
    ],
)
def test_lost_is_what_was_covered_and_will_not_be(old, new, hosts, lost):
    assert reach.lost(ORG, old, new, hosts) == lost


def test_many_domains_are_asked_at_once_but_not_more_than_a_few():
    under_way, most, lock = set(), [0], threading.Lock()
    together = threading.Barrier(at_once.AT_ONCE, timeout=30)

    def live_mx(domain):
        with lock:
            under_way.add(domain)
            most[0] = max(most[0], len(under_way))
        together.wait()  # nobody is answered before as many ask as may
        with lock:
            under_way.discard(domain)
        if domain.startswith("d0."):
            raise MtastsError("dns-lookup-failed", "no answer")
        return ["mx2.example.org"]

    domains = [(Domain(f"d{n}.example.org"), ENFORCE_BOTH) for n in range(at_once.AT_ONCE * 4)]
    outcomes = sorted(reach.survey(domains, ENFORCE_ONE, live_mx))
    assert most[0] == at_once.AT_ONCE
    assert len(outcomes) == len(domains)
    assert [one.domain for one in outcomes if one.unknown] == ["d0.example.org"]
    assert sum(one.hosts == ("mx2.example.org",) for one in outcomes) == len(domains) - 1
