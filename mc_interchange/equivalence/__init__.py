"""Whether two networks, or two runs, are the same; knows no simulator."""
