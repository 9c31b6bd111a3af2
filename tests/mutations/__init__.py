"""Does the suite notice wrong SQL? Bugs are planted one at a time into a copy of the dbt project.

`make mutants` runs them all and writes docs/reference/mutation-check.md. What belongs here: the bugs (`mutants_*`),
planting (`plant`), what a bug can reach (`lineage`), running (`suite`, `crew`). What does not: tests of the models
(`tests/dbt_project`).
"""
