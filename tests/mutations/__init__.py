"""Does the suite notice wrong SQL? Bugs are planted one at a time into a copy of the dbt project.

`python -m tests.mutations` runs them all and writes docs/reference/mutation-check.md. What belongs here: the bugs
(`mutants_*`), planting and running (`plant`, `suite`). What does not: tests of the models (`tests/dbt_project`).
"""
