"""Rapport's tests: unit, contract, scenario, engine, browser."""
