"""Who may do what: set-up, sessions, API keys, users, groups, data permissions; and settings and cache."""
