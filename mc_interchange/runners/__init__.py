"""Runners: one per simulator, all with the same contract."""
