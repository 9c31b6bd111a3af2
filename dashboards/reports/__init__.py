"""Reports: from an order to a message that is ready to be sent.

What belongs here: which days a report is about, what it says, how it looks as text, HTML, PDF, XLSX and CSV. What does
not: who gets it and when, and whether it was sent (`orchestration.reports`), the declaration in `clients.yml`.
"""
