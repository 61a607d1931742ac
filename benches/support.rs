//! Measuring for benches: thread CPU time, medians, RATIO lines.
