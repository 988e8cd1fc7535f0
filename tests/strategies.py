"""Values, and texts that are nearly policies, records or hosts, for hypothesis to choose from."""

import re

from hypothesis import settings
from hypothesis import strategies as st

from mtasts.policy import Mode, Policy

# No deadline: a busy machine is no fault of the code.
settings.register_profile("mtasts", deadline=None, max_examples=200)
settings.load_profile("mtasts")

LABEL = st.one_of(
    st.text("a0z", min_size=1, max_size=3),
    st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z"),
)
NAMES = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
DOMAINS = NAMES.filter(lambda name: len(name) < 200 and not re.match(r"(\d+\.){3}\d+\Z", name))
PATTERNS = st.tuples(st.sampled_from(["", "*."]), DOMAINS).map("".join)
POLICIES = st.builds(
    Policy,
    st.sampled_from(list(Mode)),
    st.integers(0, 31557600),
    st.lists(PATTERNS, min_size=1, max_size=5).map(tuple),
)
URIS = st.one_of(
    st.from_regex(r"\Amailto:[a-z0-9.%-]{1,9}@[a-z]{1,9}\.example\Z").map(
        lambda uri: uri.replace("%", "%2c")
    ),
    st.from_regex(r"\Ahttps://[a-z]{1,9}\.example(:[0-9]{1,4})?(/[a-z0-9=&@:]{0,9}){0,3}\Z"),
)

# Texts that are nearly policies: every production with its right and its wrong neighbours.
FIELD_NAMES = st.sampled_from(
    ["version", "mode", "mx", "max_age", "MX", "note", "n" * 32, "n" * 33, "-n", ""]
)
VALUES = st.one_of(
    st.sampled_from(["STSv1", "enforce", "testing", "none", "86401", "0", "31557600", "31557601"]),
    st.sampled_from(
        ["00000086401", "8_6", "*.a.example", "a.example", "a.example.", "*", "", "a b"]
    ),
    st.text(max_size=4),
)
BLANKS = st.sampled_from(["", " ", "\t ", "\xa0", "\v"])
LINES = st.builds("{}{}{}:{}{}{}".format, BLANKS, FIELD_NAMES, BLANKS, BLANKS, VALUES, BLANKS)
GOOD = st.sampled_from(
    ["version: STSv1", "mode: enforce", "mode:none", "mx: a.example", "max_age: 86401"]
)
ENDINGS = st.sampled_from(["\r\n", "\n", "\n", "\r", "\n\n", "\u2028", ""])
NEARLY = st.lists(
    st.tuples(st.one_of(GOOD, GOOD, GOOD, LINES), ENDINGS).map("".join), max_size=8
).map(lambda lines: "".join(lines).encode("utf-8", "surrogatepass"))
TEXTS = st.one_of(NEARLY, st.binary(max_size=60), POLICIES.map(Policy.to_bytes))

RECORD_PIECES = st.sampled_from(
    ["v=STSv1", "v=TLSRPTv1", ";", " ", "id=", "rua=", "a1", "mailto:a@b.example", ",", "a=b", "-"]
)
PIECES = st.lists(st.one_of(RECORD_PIECES, RECORD_PIECES, st.text(max_size=2)), max_size=12)
RECORD_FIELDS = st.sampled_from(
    [
        "id=20260101",
        "id=" + "9" * 32,
        "id=" + "9" * 33,
        "id=a-b",
        "rua=mailto:a@b.example",
        "rua=mailto:a@b.example ,\thttps://b.example/c=d?e#f",
        "rua=mailto:a@b.example,",
        "rua=mailto:a!b@b.example",
        "rua=a b",
        "rua=ftp://b.example",
        "a_-.=!<>~",
        "n" * 33 + "=a",
        "a=b=c",
        "a=",
        "=a",
        "a",
        "",
    ]
)
DELIMITERS = st.sampled_from([";", "; ", "; ", " ;\t", "", " ", ";;", ";\n"])
NEARLY_RECORDS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["v=STSv1", "v=STSv1", "v=TLSRPTv1", "v=TLSRPTv1", " v=STSv1", "V=TLSRPTv1"]),
    st.lists(st.tuples(DELIMITERS, RECORD_FIELDS).map("".join), max_size=4).map("".join),
    st.sampled_from(["", ";", "; ", " ", ";;"]),
)
RECORDS = st.one_of(NEARLY_RECORDS, NEARLY_RECORDS, PIECES.map("".join))
HOSTS = st.one_of(st.text("aA*.-_1\n", max_size=12), NAMES, st.text(max_size=12))
