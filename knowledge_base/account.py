"""Whether a question is about the customer's own order, booking or account.

"Has my refund gone out yet?" sounds like the articles on refunds, and none of them can know. How such
questions sound was learned from our training help centres, see `fit`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FILE = Path(__file__).resolve().parent / "account.json"


@dataclass(frozen=True)
class AccountModel:
    """A logistic model on a question's vector, float32 (dimension,)."""

    weights: np.ndarray
    bias: float
    threshold: float

    @classmethod
    def load(cls, dimension: int, path: Path = FILE) -> AccountModel | None:
        """Read the fitted model; None where there is none for vectors of this dimension, as with
        an encoder of one's own."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            weights = np.array(stored["weights"], dtype=np.float32)
            found = cls(weights, float(stored["bias"]), float(stored["threshold"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if len(weights) == dimension else None

    def hears(self, vector: np.ndarray) -> bool:
        """Whether only the customer's own record could answer this."""
        height = float(vector @ self.weights) + self.bias
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, height)))) >= self.threshold
