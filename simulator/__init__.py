"""A stand-in for the Meta Marketing API: the same protocol over HTTP, and a world whose truth is known.

What belongs here: everything that the real API would do. What does not: any import of the product, and any
knowledge of what the product does with the answers. It is started as a process (`meta-ads simulate`).
"""
