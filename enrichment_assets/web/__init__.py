"""Pages for people in a browser. Everything that a browser reaches passes `origin_guard` first.

What belongs here: ASGI applications and what stands in front of them. What they do is a call of a service.
"""
