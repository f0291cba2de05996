//! Chunks and records on one machine's disk.
