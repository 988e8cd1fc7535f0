"""The tables of the ledger, as the newest migration leaves them.

    arrival --< delivery >-- report --< policy_result --< failure

Times are seconds since 1970 in UTC. What a report says is text without limit, so nothing of it is
in an index, but a policy domain of at most 253 characters; all other look-ups go by hashes and
numbers. Rows below a report have no numbers of their own: their places in it are their keys.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

REVISION = "0001"  # of the newest migration
MAX_DOMAIN = 253

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # only an INTEGER counts up there
_HASH = String(64)  # SHA-256 in hex

metadata = MetaData()


def _below(column: str) -> ForeignKey:
    """Rows that go when the one of this number goes."""
    return ForeignKey(column, ondelete="CASCADE")


arrival = Table(
    "arrival",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("sha256", _HASH, nullable=False, unique=True),
    Column("received", BigInteger, nullable=False),
    Column("source", String(16), nullable=False),
    Column("domain", String(MAX_DOMAIN)),  # to whose address it was sent
    Column("grade", SmallInteger, nullable=False),
    Column("error", String(64)),  # the code of what could not be read: the quarantine
    Column("dated", BigInteger, nullable=False),  # from when its age is counted (retention)
    Column("name", Text, nullable=False),  # of the file, "" where there was none
    Column("size", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # by zlib
    sqlite_autoincrement=True,  # a number that was forgotten is never given again
)
Index(
    "ix_arrival_error",
    arrival.c.id,
    sqlite_where=arrival.c.error.isnot(None),
    postgresql_where=arrival.c.error.isnot(None),
)
Index("ix_arrival_dated", arrival.c.dated)

report = Table(
    "report",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("content", _HASH, nullable=False, unique=True),  # what it says: equal in a resend
    Column("identity", _HASH, nullable=False, index=True),  # what it claims to be: D28's key
    Column("grade", SmallInteger, nullable=False),  # the strongest of its arrivals
    Column("received", BigInteger, nullable=False),  # when it first came
    Column("started", BigInteger, nullable=False),  # the range's start, or else that
    Column("organization_name", Text, nullable=False),
    Column("report_id", Text, nullable=False),
    Column("range_start", BigInteger),
    Column("range_end", BigInteger),
    Column("contact_info", Text),
    Column("notes", Text, nullable=False),  # JSON: [[code, where], ...]
    Column("hints", Text, nullable=False),  # JSON: [[name, source, value], ...]
    sqlite_autoincrement=True,
)

Index("ix_report_started", report.c.started, report.c.id)

delivery = Table(
    "delivery",
    metadata,
    Column("arrival_id", _NUMBER, _below("arrival.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("report_id", _NUMBER, ForeignKey("report.id"), nullable=False, index=True),
)

policy_result = Table(
    "policy_result",
    metadata,
    Column("report_id", _NUMBER, _below("report.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("policy_domain", String(MAX_DOMAIN), nullable=False),  # "" where it is unknown
    Column("started", BigInteger, nullable=False),  # as the report has it
    Column("policy_type", Text, nullable=False),
    Column("policy_string", Text, nullable=False),  # JSON: [line, ...]
    Column("mx_host", Text, nullable=False),  # JSON: [pattern, ...]
    Column("successful", BigInteger),
    Column("failed", BigInteger),
)
Index(
    "ix_policy_result_domain",
    policy_result.c.policy_domain,
    policy_result.c.started,
    policy_result.c.report_id,
)

failure = Table(
    "failure",
    metadata,
    Column("report_id", _NUMBER, primary_key=True, autoincrement=False),
    Column("policy_position", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("result_type", Text, nullable=False),
    Column("sessions", BigInteger),
    Column("sending_mta_ip", Text),
    Column("receiving_mx_hostname", Text),
    Column("receiving_mx_helo", Text),
    Column("receiving_ip", Text),
    Column("additional_information", Text),
    Column("reason_code", Text),
    Column("sending_mta_ip_text", Text),
    Column("receiving_ip_text", Text),
    ForeignKeyConstraint(
        ["report_id", "policy_position"],
        ["policy_result.report_id", "policy_result.position"],
        ondelete="CASCADE",
    ),
)
