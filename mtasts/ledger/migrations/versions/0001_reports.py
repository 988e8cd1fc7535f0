"""Arrivals, the reports in them, policy results and failure details."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _below(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")


def upgrade() -> None:
    """Make all tables."""
    _arrivals()
    _reports()
    _results()


def _arrivals() -> None:
    op.create_table(
        "arrival",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("domain", sa.String(253)),
        sa.Column("grade", sa.SmallInteger, nullable=False),
        sa.Column("error", sa.String(64)),
        sa.Column("dated", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    condition = sa.text("error IS NOT NULL")
    where = {"sqlite_where": condition, "postgresql_where": condition}
    op.create_index("ix_arrival_error", "arrival", ["id"], **where)
    op.create_index("ix_arrival_dated", "arrival", ["dated"])


def _reports() -> None:
    op.create_table(
        "report",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("content", sa.String(64), nullable=False, unique=True),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("grade", sa.SmallInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("organization_name", sa.Text, nullable=False),
        sa.Column("report_id", sa.Text, nullable=False),
        sa.Column("range_start", sa.BigInteger),
        sa.Column("range_end", sa.BigInteger),
        sa.Column("contact_info", sa.Text),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("hints", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_identity", "report", ["identity"])
    op.create_index("ix_report_started", "report", ["started", "id"])
    op.create_table(
        "delivery",
        sa.Column("arrival_id", _NUMBER, _below("arrival.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("report_id", _NUMBER, sa.ForeignKey("report.id"), nullable=False),
    )
    op.create_index("ix_delivery_report_id", "delivery", ["report_id"])


def _results() -> None:
    op.create_table(
        "policy_result",
        sa.Column("report_id", _NUMBER, _below("report.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("policy_domain", sa.String(253), nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("policy_type", sa.Text, nullable=False),
        sa.Column("policy_string", sa.Text, nullable=False),
        sa.Column("mx_host", sa.Text, nullable=False),
        sa.Column("successful", sa.BigInteger),
        sa.Column("failed", sa.BigInteger),
    )
    columns = ["policy_domain", "started", "report_id"]
    op.create_index("ix_policy_result_domain", "policy_result", columns)
    op.create_table(
        "failure",
        sa.Column("report_id", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("policy_position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("result_type", sa.Text, nullable=False),
        sa.Column("sessions", sa.BigInteger),
        sa.Column("sending_mta_ip", sa.Text),
        sa.Column("receiving_mx_hostname", sa.Text),
        sa.Column("receiving_mx_helo", sa.Text),
        sa.Column("receiving_ip", sa.Text),
        sa.Column("additional_information", sa.Text),
        sa.Column("reason_code", sa.Text),
        sa.Column("sending_mta_ip_text", sa.Text),
        sa.Column("receiving_ip_text", sa.Text),
        sa.ForeignKeyConstraint(
            ["report_id", "policy_position"],
            ["policy_result.report_id", "policy_result.position"],
            ondelete="CASCADE",
        ),
    )
