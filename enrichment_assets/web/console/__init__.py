"""The console: pages for people, over the services that the command line and the API use.

What belongs here: one table of pages (`pages`), what each of them reads and calls (`handlers`), how it is shown
(`rendering`, templates, one style sheet, one script). A page calls services and has no rules of its own; who may see it
is said in its row, in the same words as a route of the API.
"""
