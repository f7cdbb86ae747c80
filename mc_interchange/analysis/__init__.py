"""Statistics and plots of spikes; knows no simulator."""
