"""A support day in minutes: made-up customers and agents on the real store and use cases.

What is real: the store, its transactions and constraints, every use case, ``service.yml`` and
``escalation.yml``. What is made up: who comes when and says what, what the engine understands (it is
not asked), how fast people type. The clock is turned, not waited for.
"""
