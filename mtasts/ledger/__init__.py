"""The ledger: every TLS report that was taken in, in a database (SQLite or PostgreSQL).

What came is an arrival, kept byte for byte; what could be read of it is reports. The same bytes are
one arrival, the same content is one report, however often they come: hashes with unique indexes see
to that, so that several processes may write at once and any of them may be killed.

`place` says where the ledger is, `database` opens it, `writing` adds to it, `queries` asks it,
`retention` forgets. Only `place` and `entry` can be imported without SQLAlchemy.
"""
