"""The receiver of webhooks, its parts one by one."""
