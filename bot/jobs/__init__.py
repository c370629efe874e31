"""Whose order it is, and what may be done to it: what stands between the dialogue and the shop.

- `details`: e-mail addresses and postcodes, compared
- `clerk`: proof, one-time codes, reading orders
"""
