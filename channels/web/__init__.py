"""The web channel: the public API, the chat widget, and the demo shop with its help pages."""
