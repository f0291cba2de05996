//! The driver: runs the pure core against the disk and the network.
