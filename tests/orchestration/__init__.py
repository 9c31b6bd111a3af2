"""Settings, clients, privacy, logs, processes, the Makefile and the locks."""
