"""Programs that read from Meta and are not ours, and what it takes to point them at the simulator."""
