"""Assistants: the services as tools of the Model Context Protocol.

Reading and dry runs are free; what spends or leaves needs a person's word from the console.
"""
