"""Alembic runs this: the migrations of the ledger, in the transaction of whoever opened it."""

from alembic import context

from mtasts.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
