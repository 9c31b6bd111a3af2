"""What people see: collections, cards, dashboards, search, subscriptions."""
