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
index_files.py  the folder in which they are kept, whole at any moment
nearest.py      cosines with many vectors, and the nearest of very many (FAISS)
keywords.py     BM25 by the columns of a question's stems
shortcuts.py    which of very many passages may be the best
parts.py        some articles of one audience, indexed, and how well they fit a question
index.py        what one audience may be shown, ranked: vectors and words together
sentences.py    where sentences end (spaCy)
query.py        a question, with what was said before it, made ready to be searched
late.py         the words of a question against those of a passage, one by one
token_store.py  passages' token vectors, each computed once
rerank.py       the second ranking: the best hits by their words' meanings
excerpt.py      the shortest run of sentences that answers
account.py      whether only the customer's own record could answer
confidence.py   how likely the best passage is to answer, as a probability
search.py       KnowledgeBase: loads, watches the folder, answers
building.py     the index made complete on disk, and what is in it
evaluate.py     how often it is right, on a file of questions
gaps.py         what customers asked in vain, grouped by meaning
drafts.py       a gap made into the beginning of an article
fit.py          refits what it believes of itself: `python -m knowledge_base.fit`
evaluation/     questions on our own articles
training/       help centres of invented organisations with questions, to learn from
check/          what an editor should put right: links, contradictions, what is never found
past.py         the articles as they were at a commit
diff.py         which answers an edit changes
cli/            one file a command; `python -m knowledge_base` lists them
"""
