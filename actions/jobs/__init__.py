"""The everyday jobs of a shop's support line, from the first word to what was done.

- `state`: a job as it stands, which travels in the slot ``job``
- `hearing`: what a message says, read for the question that was asked
- `replies`: every reply's fields with their types, and how they are written out
- `status`: where an order and its money are, in words
- `rules`: what may be done with which part of an order
- `doing`: what is written to the shop, and what is said about it
- `form`: the dialogue
"""
