"""Token vectors for the encoders without a model that tests use: a token's is that of its word."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from bot.encoder import Tokens


class WithTokens:
    """For an encoder with `dimension` and `_vector(text)`."""

    def encode_tokens(self, text: str) -> tuple[np.ndarray, Tokens]:
        return self.encode_with_tokens([text])[0]

    def encode_with_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, Tokens]]:
        found = []
        for text in texts:
            words = list(re.finditer(r"\w+|[^\w\s]", text.lower()))
            rows = [self._vector(word[0]) for word in words]
            tokens = Tokens(
                np.array(rows, dtype=np.float32).reshape(-1, self.dimension),
                tuple(word[0] for word in words),
                tuple(word.span() for word in words),
            )
            found.append((self._vector(text).astype(np.float32), tokens))
        return found
