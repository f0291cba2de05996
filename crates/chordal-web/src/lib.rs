//! The control API of a node over HTTP.
