"""Reports by e-mail, all but their content."""
