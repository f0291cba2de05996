//! Bytes of messages.
