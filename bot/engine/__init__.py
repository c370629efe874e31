"""What Rasa loads of ours, in the engine's own environment; nothing else of ours imports it.

encoder.py        SentenceEncoder: the sentence vector as a dense feature
intents.py        IntentClassifier: which intent a message has, and how likely
kernel.py         its mathematics; background.txt is what it learns "none of them" from
trial.py          a pipeline trained and asked, for `python -m bot evaluate intents`
emotion.py        EmotionClassifier: how the customer feels, in this message and over the last ones
entities.py       SupportEntities: order numbers, e-mail addresses, phone numbers, amounts of money
intent_rules.py   IntentRules: where a rule knows better than the classifier
connector.py      RapportInput: our door, one turn in and everything that happened out
tracker_store.py  RapportTrackerStore: Rasa's SQL store without reading everything at each turn
frugal.py         two of Rasa's methods without their constant work

It imports nothing of ours but `bot.encoder` and `bot.mood`. A training argument must be named
`training_data` and every public method needs its return annotation, or Rasa's graph does not build.
"""
