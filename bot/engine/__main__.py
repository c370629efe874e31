"""Rasa's own command line, started the quick way: `python -m bot.engine run ...`.

Rasa imports skops, which at its own import looks through every loaded module some hundred times. With
TensorFlow loaded that takes 6 s; before it, 1 s.
"""

import skops.io  # noqa: F401 - first on purpose
from rasa.__main__ import main

if __name__ == "__main__":
    main()
