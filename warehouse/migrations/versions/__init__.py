"""The migrations, oldest first. One DDL statement per call."""
