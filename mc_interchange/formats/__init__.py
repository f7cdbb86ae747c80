"""Names and layouts of formats, shared by their exporter and importer."""
