"""The transcript of record: every table, every statement.

``schema`` tables · ``migrations`` how they came about (Alembic) · ``database`` connections,
transactions, the clock · ``ledger`` conversations, messages, turns, deliveries · ``tickets``
tickets and follow-ups · ``questions`` what was asked and not answered, closed gaps · ``agents`` who
may work at the desk.
"""
