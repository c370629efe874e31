"""Privacy: what is masked before it is stored (``redaction``)."""
