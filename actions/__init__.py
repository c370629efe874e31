"""Custom actions: what the engine asks the gateway to do. One file per skill.

``base`` what they share · ``answer`` questions, from the knowledge base · ``handoff`` everything about
getting to a person · ``jobs`` what a customer wants done · ``several`` more than one wish in a message
· ``clarify`` "Did you mean?" · ``phrases`` how each wish is said.
"""
