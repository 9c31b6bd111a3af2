"""The Dagster objects, a concept a file; what they do is in the modules beside this package, which know no Dagster."""
