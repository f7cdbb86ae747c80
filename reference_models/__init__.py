"""Reference models, one package each."""
