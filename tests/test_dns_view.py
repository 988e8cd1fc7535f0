"""What the resolver tells: records, aliases, DNSSEC, and why there is no answer."""

import pytest

from mtasts.dns_view import MAX_ALIASES, Resolver
from mtasts.errors import MtastsError
from mtasts.facts import TLSA
from mtasts.probe import MX

NAME = "_mta-sts.example.org"


@pytest.fixture
def resolver(dns_table):
    return Resolver(dns_table.address)


@pytest.fixture
def table(dns_table):
    return dns_table.table


def code_of(ask, *arguments):
    with pytest.raises(MtastsError) as caught:
        ask(*arguments)
    assert caught.value.message.isprintable()
    return caught.value.code


def test_texts_are_joined_from_their_strings(resolver, table):
    table[NAME] = {"TXT": ['"v=STSv1;" " id=1;"', '"\\027[2J"']}
    assert resolver.txt(NAME).records == ("\x1b[2J", "v=STSv1; id=1;")


@pytest.mark.parametrize("listed", [{NAME: {"A": ["192.0.2.1"]}}, {}])
def test_what_is_not_there_is_no_error(resolver, table, listed):
    table.update(listed)
    assert resolver.txt(NAME).records == ()


def test_addresses_of_both_kinds(resolver, table):
    table["mx.example.org"] = {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]}
    assert resolver.addresses("mx.example.org", "A").records == ("192.0.2.1", "192.0.2.2")
    assert resolver.addresses("mx.example.org", "AAAA").records == ("2001:db8::1",)


def test_mx_records_come_in_the_order_of_their_preference(resolver, table):
    table["example.org"] = ["20 mx2.example.org", "10 MX1.Example.ORG"]
    assert resolver.mx("example.org").records == (
        MX(10, "mx1.example.org"),
        MX(20, "mx2.example.org"),
    )
    table["example.org"] = ["0 ."]
    assert resolver.mx("example.org").records == (MX(0, ""),)


def test_tlsa_records_are_those_of_smtp(resolver, table):
    table["_25._tcp.mx.example.org"] = {"TLSA": ["3 1 1 " + "ab" * 32]}
    assert resolver.tlsa("mx.example.org").records == (TLSA(3, 1, 1, b"\xab" * 32),)


def test_aliases_come_in_their_order(resolver, table):
    table[NAME] = {"CNAME": ["One.example.net."]}
    table["one.example.net"] = {"CNAME": ["two.example.net."]}
    table["two.example.net"] = {"TXT": ['"v=STSv1; id=1;"']}
    view = resolver.txt(NAME)
    assert view.records == ("v=STSv1; id=1;",)
    assert view.aliases == ("one.example.net", "two.example.net")


def test_an_alias_of_nothing_is_shown(resolver, table):
    table[NAME] = {"CNAME": ["gone.example.net."]}
    assert resolver.txt(NAME)[:2] == ((), ("gone.example.net",))


def chain(table, length):
    """Let NAME lead over `length` aliases to a text."""
    names = [NAME] + [f"n{number}.example.net" for number in range(length)]
    for name, target in zip(names, names[1:]):
        table[name] = {"CNAME": [target + "."]}
    table[names[-1]] = {"TXT": ['"text"']}


def test_aliases_have_a_limit(resolver, table):
    chain(table, MAX_ALIASES)
    assert len(resolver.txt(NAME).aliases) == MAX_ALIASES
    chain(table, MAX_ALIASES + 1)
    assert code_of(resolver.txt, NAME) == "dns-alias-many"
    chain(table, 40)
    assert code_of(resolver.txt, NAME) == "dns-alias-many"


def test_aliases_may_not_lead_back(resolver, table):
    table[NAME] = {"CNAME": ["one.example.net."]}
    table["one.example.net"] = {"CNAME": [NAME + "."]}
    assert code_of(resolver.txt, NAME) == "dns-alias-loop"


def test_records_have_a_limit(resolver, table):
    table["example.org"] = [f"10 mx{number}.example.org" for number in range(64)]
    assert len(resolver.mx("example.org").records) == 64
    table["example.org"].append("10 mx64.example.org")
    assert code_of(resolver.mx, "example.org") == "dns-records-many"


def test_what_dnssec_proves(resolver, table, dns_table):
    table[NAME] = ["v=STSv1; id=1;"]
    dns_table.secure.add(NAME)
    assert resolver.txt(NAME).secure is True
    assert resolver.txt("_smtp._tls.example.org").secure is False


def test_that_nothing_is_there_can_be_proved(resolver, dns_table):
    dns_table.secure.add(NAME)
    assert resolver.txt(NAME)[::2] == ((), True)


def test_signatures_say_nothing_where_nobody_validates(resolver, table, dns_table):
    table[NAME] = ["v=STSv1; id=1;"]
    dns_table.signed.add(NAME)
    assert resolver.txt(NAME).secure is None


def test_signatures_that_a_validating_resolver_does_not_follow_prove_nothing(
    resolver, table, dns_table
):
    table[NAME] = ["v=STSv1; id=1;"]
    table["."] = {}
    dns_table.signed.add(NAME)
    dns_table.secure.add(".")
    assert resolver.txt(NAME).secure is False
    assert resolver.txt(NAME).secure is False
    assert dns_table.asked.count((".", "SOA")) == 1


def test_a_bogus_answer_is_no_answer(resolver, table, dns_table):
    table[NAME] = ["v=STSv1; id=1;"]
    dns_table.bogus.add(NAME)
    assert code_of(resolver.txt, NAME) == "dnssec-bogus"


def test_a_server_that_fails_is_no_bogus_answer(resolver, table):
    table[NAME] = None
    assert code_of(resolver.txt, NAME) == "dns-lookup-failed"


def test_a_lost_datagram_is_sent_again(resolver, table, dns_table):
    table[NAME] = ["v=STSv1; id=1;"]
    dns_table.loses = 1
    assert resolver.txt(NAME).records == ("v=STSv1; id=1;",)


@pytest.mark.parametrize("name", ["x" * 64 + ".example", ".".join(["x" * 60] * 5), "a..example"])
def test_a_name_that_cannot_be_is_told(resolver, name):
    assert code_of(resolver.txt, name) == "dns-lookup-failed"


def test_the_zone_of_a_name(resolver, table):
    soa = {"SOA": ["ns.example.net. admin.example.net. 1 3600 600 86400 60"]}
    table["example.org"] = soa
    assert resolver.zone_of(NAME) == "example.org"
    table["_tls.example.org"] = soa
    assert resolver.zone_of("_smtp._tls.example.org") == "_tls.example.org"
    table[NAME] = {"CNAME": ["example.net."]}
    table["example.net"] = soa
    assert resolver.zone_of(NAME) == "example.org"
    assert code_of(resolver.zone_of, "nowhere.example") == "zone-missing"


def test_the_name_servers_of_a_zone(resolver, table):
    table["example.org"] = {"NS": ["ns2.example.net.", "NS1.example.net."]}
    assert resolver.name_servers("example.org") == ("ns1.example.net", "ns2.example.net")


def test_a_resolver_is_an_address():
    assert code_of(Resolver, "resolver.example") == "address-invalid"


# A resolver that answers nobody


def failing(table, count):
    """Names of which the resolver gets no answer, as many as asked for."""
    names = [f"_mta-sts.d{number}.example.org" for number in range(count)]
    table.update(dict.fromkeys(names))
    return names


def test_a_resolver_that_answers_nothing_is_told_from_a_name_without_an_answer(resolver, dns_table):
    dns_table.is_cut_off = True
    assert code_of(resolver.txt, NAME) == "dns-resolver-useless"
    assert code_of(resolver.require) == "dns-resolver-useless"
    assert dns_table.asked[-1] == (".", "SOA")


def test_who_is_useless_is_not_asked_again(resolver, dns_table):
    dns_table.is_cut_off = True
    code_of(resolver.txt, NAME)
    del dns_table.asked[:]
    assert code_of(resolver.mx, "example.net") == "dns-resolver-useless"
    assert dns_table.asked == []


def test_a_resolver_that_cannot_be_asked_is_useless():
    nobody = Resolver("255.255.255.255")  # to which only those may send who say that it is for all
    assert code_of(nobody.txt, NAME) == "dns-resolver-useless"


def test_a_resolver_to_which_the_root_is_bogus_has_the_wrong_time_or_keys(resolver, dns_table):
    dns_table.bogus.update((NAME, "."))
    dns_table.table.update({NAME: ["v=STSv1; id=1;"], ".": {}})
    assert code_of(resolver.txt, NAME) == "dns-resolver-useless"


def test_a_name_without_an_answer_says_nothing_of_the_resolver(resolver, table):
    table[NAME] = None
    assert code_of(resolver.txt, NAME) == "dns-lookup-failed"
    resolver.require()


def test_many_names_without_an_answer_do_neither_as_long_as_the_root_has_one(
    resolver, table, dns_table
):
    codes = {code_of(resolver.txt, name) for name in failing(table, 100)}
    assert codes == {"dns-lookup-failed"}
    resolver.require()
    assert dns_table.asked.count((".", "SOA")) <= 4


def test_a_resolver_that_once_answered_is_doubted_after_many_failures_in_a_row(
    resolver, table, dns_table
):
    resolver.txt(NAME)
    dns_table.is_cut_off = True
    names = iter(failing(table, 100))
    for _ in range(20):
        assert code_of(resolver.txt, next(names)) == "dns-lookup-failed"
    dns_table.is_cut_off = False
    resolver.txt(NAME)
    dns_table.is_cut_off = True
    codes = [code_of(resolver.txt, name) for name in names]
    assert set(codes[:32]) == {"dns-lookup-failed"}
    assert set(codes[32:]) == {"dns-resolver-useless"}
