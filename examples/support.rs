//! Shared by the examples: reading of input files and text tables.
