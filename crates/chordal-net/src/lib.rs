//! Identity, mutual TLS and framed connections between nodes.
