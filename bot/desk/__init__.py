"""The agents' desk: one page where people see who waits, claim, answer, resolve or hand back.

``routes`` has the page and its API, ``sessions`` the log-in. Everything that counts is decided by
`bot.support.Support`; the desk only shows it and passes wishes on.
"""
