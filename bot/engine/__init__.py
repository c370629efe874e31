"""What Rasa loads of ours, in the engine's own environment; nothing else of ours imports it.

encoder.py   SentenceEncoder: the sentence vector as a dense feature
emotion.py   EmotionClassifier: how the customer feels, and the tone that rules can read
entities.py  SupportEntities: order numbers, e-mail addresses, phone numbers, amounts of money

It imports nothing of ours but `bot.encoder`. A training argument must be named `training_data` and
every public method needs its return annotation, or Rasa's graph does not build.
"""
