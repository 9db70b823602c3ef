"""The HTTP API: `/api/v1`. One table of routes (`routes`) says of each who may; what is not in it is not there.

What belongs here: who asks (`doors`), whether they may, what they sent (`calls`), and one service call per route
(`handlers`). Everything is closed unless its row says otherwise.
"""
