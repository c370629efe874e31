"""What Rasa loads of ours, in the engine's own environment; nothing else of ours imports it.

encoder.py        SentenceEncoder: the sentence vector as a dense feature
intents.py        IntentClassifier: which intent a message has, and how likely
kernel.py         its mathematics; background.txt is what it learns "none of them" from
trial.py          a pipeline trained and asked, for `python -m bot evaluate intents`
support_intents.py SupportIntents: the same, and several wishes, two intents too close to tell
emotion.py        EmotionClassifier: how the customer feels, in this message and over the last ones
entities.py       SupportEntities: order numbers, addresses, phone numbers, amounts, days, products
intent_rules.py   IntentRules: where a rule knows better than the classifier
connector.py      RapportInput: our door, one turn in and everything that happened out
tracker_store.py  RapportTrackerStore: Rasa's SQL store without reading everything at each turn
frugal.py         two of Rasa's methods without their constant work

What they know, without Rasa:

wishes.py clauses.py       a message cut into clauses, and what each of them wants
meant.py                   the answer to "Did you mean ...?"
dates.py dates_*.py        days · figures.py: numbers, addresses and amounts
products.py catalogue.py   products of data/catalogue.csv · typos.py: words as they were meant

It imports nothing of ours but `bot.encoder`, `bot.feeling` and `bot.mood`. A training argument must
be named `training_data` and every public method needs its return annotation, or Rasa's graph does
not build.
"""
