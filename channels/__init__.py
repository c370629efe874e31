"""The ways customers reach the bot; each channel is an edge that only `bot.app` wires up."""
