"""How people are brought in: opening hours, response times, who gets what, what is due when.

Pure rules, standard library only (holidays aside); ``service.yml`` states them, `bot.service_file`
reads it, and the use cases act on them.
"""
