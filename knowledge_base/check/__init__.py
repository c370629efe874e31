"""What an editor should put right before customers meet it: `python -m knowledge_base check`.

finding.py         a finding: rule, severity, place, what to do
page.py            an article beside its file, so that everything has its line
prose.py           its text without markup: blocks and sentences
library.py         all pages, for the rules that look at one at a time
links.py           links and pictures that lead nowhere
structure.py       headings, descriptions of pictures, long passages
wording.py         hard to read, promises, leftovers, HTML
ages.py            dates that have passed
quantities.py      numbers with their units, so that "two weeks" is 14 days
clock.py           dates, times of day, opening hours
facts.py           a sentence's quantities with the words around them
contradictions.py  two articles that give different numbers for the same thing
stated.py          rules for orders that the articles do not state
near.py            which texts are close in meaning
twins.py           passages that say almost the same
known.py           questions that people ask, read from files
reach.py           what no question finds
silence.py         findings that an editor wants to hear no more of
rules.py           all rules by name, and a run of them
"""
