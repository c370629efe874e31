"""The transcript of record: every table, every statement.

``schema`` tables · ``migrations`` how they came about (Alembic) · ``database`` connections,
transactions, the clock · ``ledger`` conversations, messages, turns, deliveries · ``tickets``
tickets and follow-ups · ``agents`` who may work at the desk.
"""
