"""Articles in, verbatim passages out.

articles/       the markdown that editors write: the truth
files.py        which files below a folder are articles
folder.py       reads them, again and again, and says who may see each
front_matter.py the fields at the top of a file, and mistakes with their lines
markup/         takes out what Jekyll, Docusaurus, MkDocs, Hugo and HTML put into markdown
cut.py          where a text is cut into passages
parse.py        a file to an Article and its Passages
render.py       an Article to safe HTML for the help pages
words.py        a question's sentences, its words, and their stems
vectors.py      texts to vectors, kept on disk so that only changed text is embedded
index.py        what one audience may be shown, ranked: vectors and words together
confidence.py   how likely the best passage is to answer, as a probability
search.py       KnowledgeBase: loads, watches the folder, answers
evaluate.py     how often it is right, on a file of questions
fit.py          refits the confidence: `python -m knowledge_base.fit DEV.jsonl`
cli/            one file a command; `python -m knowledge_base` lists them
"""
