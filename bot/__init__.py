"""Rapport's heart: rules, store, use cases, desk and wiring.

Read it from the bottom up: ``conversation``, ``mood`` and ``wording`` are rules (pure, standard
library only); ``store`` and ``brain`` are resources; ``support`` and ``followups`` are the use cases;
``desk`` is an edge; ``app`` wires everything. ``engine`` is what Rasa loads, in its own environment.
"""
