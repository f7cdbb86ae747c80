"""NeuroML 2 and LEMS: from files in XML or HDF5 to a NetworkInstance."""
