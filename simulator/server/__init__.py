"""The HTTP side of the simulator: versions, parameters, cursors, jobs, quotas, errors, tokens, webhooks.

What belongs here: everything a client can observe except the numbers. What does not: any knowledge of objects and
numbers, which come from a `simulator.contract.World`.
"""
