"""The migrations of the ledger, for alembic."""
